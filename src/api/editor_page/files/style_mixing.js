/** Style mixing: some layers of one face's w+ code in place of another's. */
import { faceFields, request } from "./face_state.js";
import { numbers } from "./service.js";

/** The w+ code of `state`'s face, edits included, with the layers `first` to `last` of the face of `seed`. */
export async function mixedLatent(state, seed, first, last) {
  const { faces: [{ latent }] } = await numbers(...request(state));
  const { model, psi } = state;
  const inWPlus = async (face) => (await numbers("v1/sample", { ...faceFields({ model, psi, ...face }), space: "w+" })).faces[0].latent.values;
  const [own, other] = await Promise.all([inWPlus({ latent }), inWPlus({ seed })]);
  const layer = (row, index) => (index >= first && index <= last ? other[index] : row);
  return { space: "w+", values: own.map(layer) };
}
