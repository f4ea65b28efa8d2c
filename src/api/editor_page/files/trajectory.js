/** The trajectory: the face at several distances of one attribute. */
import { byId, on } from "./dom.js";
import { rounded, trajectoryRequest } from "./face_state.js";
import { FacesList } from "./faces_list.js";
import { imageFile, numbers } from "./service.js";

const FACES = 7;

export class Trajectory {
  #list = new FacesList(byId("strip"));
  #select = byId("strip-attribute");
  #calls;

  /** `calls.choose()` is called when another attribute was chosen, `calls.click(attribute, distance)` for a face that was clicked. */
  constructor(calls) {
    this.#calls = calls;
    on("strip-attribute", "change", () => this.#calls.choose());
  }

  /** Offers `attributes`. The chosen one stays if it is among them. */
  offer(attributes) {
    const chosen = this.#select.value;
    this.#select.replaceChildren(...attributes.map((name) => new Option(name)));
    this.#select.value = attributes.includes(chosen) ? chosen : attributes[0] ?? "";
  }

  /** Shows the trajectory of the face of `state`. `ranges` has the distances of each attribute, from `low` to `high`. */
  async show(state, ranges) {
    const attribute = this.#select.value;
    if (attribute === "") {
      this.#list.show([]);
      return;
    }
    const { low, high } = ranges[attribute];
    const fields = trajectoryRequest(state, attribute, rounded(low), rounded(high), FACES);
    const { faces, positions } = await numbers("v1/edit", fields);
    this.#list.show(positions.map(rounded).map((position, index) => ({
      image: imageFile(faces[index].image),
      caption: position.toFixed(1).replace("-", "−"),
      name: `${attribute} at ${position.toFixed(1)}`,
      current: state.distances[attribute] === position,
      click: () => this.#calls.click(attribute, position),
    })));
  }
}
