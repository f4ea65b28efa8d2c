/** The gallery: the faces of seeds that follow each other. */
import { byId, on } from "./dom.js";
import { faceFields } from "./face_state.js";
import { FacesList } from "./faces_list.js";

const FACES = 12;

export class Gallery {
  #list = new FacesList(byId("gallery"));
  #first = 0;
  #model;
  #psi;
  #click;

  /** `click(seed)` is called for the face that was clicked. */
  constructor(click) {
    this.#click = click;
    on("gallery-back", "click", () => this.#show(this.#first - FACES));
    on("gallery-on", "click", () => this.#show(this.#first + FACES));
  }

  /** Shows the faces of a model with a truncation, unless it does so already. */
  show(model, psi) {
    if (model !== this.#model || psi !== this.#psi) {
      const first = model === this.#model ? this.#first : 0;
      [this.#model, this.#psi] = [model, psi];
      this.#show(first);
    }
  }

  #show(first) {
    this.#first = Math.max(0, first);
    byId("gallery-back").disabled = this.#first === 0;
    const seeds = Array.from({ length: FACES }, (_, index) => this.#first + index);
    this.#list.show(seeds.map((seed) => ({
      image: `v1/sample?${new URLSearchParams(faceFields({ model: this.#model, seed, psi: this.#psi }))}`,
      caption: String(seed),
      name: `The face of seed ${seed}`,
      click: () => this.#click(seed),
    })));
  }
}
