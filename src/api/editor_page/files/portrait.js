/** The large image of the face, before and after its edits. */
import { byId, display, on } from "./dom.js";
import { request, toFragment } from "./face_state.js";
import { PAGE_CHUNK } from "./opened_file.js";
import { withChunk } from "./png_text.js";
import { image, imageFile } from "./service.js";

export class Portrait {
  /** The state that is shown, and its image. */
  #shown;

  constructor() {
    on("divider", "input", () => this.#divide());
  }

  /** Shows the face of `state`. */
  async show(state) {
    const file = await image(...request(state));
    this.#shown = { state, file };
    await display(byId("after"), file);
    byId("after").alt = description(state);
  }

  /** Shows the face before its edits, of which `base64` is the image; without one, hides it. */
  async showBefore(base64) {
    byId("before").hidden = byId("divider").hidden = base64 === undefined;
    if (base64 !== undefined) {
      await display(byId("before"), imageFile(base64));
      this.#divide();
    }
  }

  /** Saves the image that is shown, with its state inside. */
  async download() {
    if (this.#shown === undefined) {
      return;
    }
    const { state, file } = this.#shown;
    const href = URL.createObjectURL(await withChunk(file, PAGE_CHUNK, toFragment(state)));
    Object.assign(document.createElement("a"), { href, download: `${state.model}-${state.seed ?? "face"}.png` }).click();
    URL.revokeObjectURL(href);
  }

  #divide() {
    byId("before").style.clipPath = `inset(0 ${100 - Number(byId("divider").value)}% 0 0)`;
  }
}

function description({ seed, distances }) {
  const edits = Object.entries(distances).map(([name, to]) => `${name} at ${to.toFixed(1)}`);
  const source = seed === undefined ? "The face of a code" : `The face of seed ${seed}`;
  return edits.length === 0 ? source : `${source}, edited: ${edits.join(", ")}`;
}
