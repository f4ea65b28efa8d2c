/** Style mixing: some layers of one face's w+ code in place of another's. */
import { numbers } from "./service.js";
import { faceFields } from "./face_state.js";

/** The w+ code of `state`'s face with the layers `first` to `last` of the face of `seed`. */
export async function mixedLatent(path, fields, state, seed, first, last) {
  const other = faceFields({ model: state.model, psi: state.psi, seed });
  const [own, others] = await Promise.all([
    numbers(path, { ...fields, space: "w+" }),
    numbers("v1/sample", { ...other, space: "w+" }),
  ]);
  const layer = (row, index) => (index >= first && index <= last ? others.faces[0].latent.values[index] : row);
  return { space: "w+", values: own.faces[0].latent.values.map(layer) };
}
