/** The sliders: one for each boundary, with its distance, its score and its lock. */

import { rounded } from "./face_state.js";


export class Sliders {
  #rows = new Map();
  #ranges = {};
  #box;
  #on;

  /** `on.move(attribute, distance)` is called while a slider moves, `on.settle()` after it, `on.lock(attribute)` for a lock,
   * `on.release(attribute)` to end a move. */
  constructor(box, on) {
    this.#box = box;
    this.#on = on;
  }

  /** Shows a slider for each attribute. `known` describes the classifiers' attributes, and `ranges` has `low` and `high` of each
   * attribute. Sliders of the same attributes stay, and keep the focus. */
  build(attributes, known, ranges) {
    this.#ranges = ranges;
    if (attributes.join("\n") === [...this.#rows.keys()].join("\n")) {
      return;
    }
    this.#rows.clear();
    this.#box.replaceChildren(...attributes.map((name) => this.#row(name, known.find((one) => one.name === name))));
  }

  #row(name, known) {
    const row = document.getElementById("slider-row").content.firstElementChild.cloneNode(true);
    const [label, slider, lock] = ["label", "input", "button"].map((tag) => row.querySelector(tag));
    slider.id = `slider-${name}`;
    label.htmlFor = slider.id;
    label.textContent = name;
    if (known?.positive !== undefined) {
      label.title = `left: ${known.negative}; right: ${known.positive}`;
    }
    lock.setAttribute("aria-label", `Lock ${name}`);
    slider.addEventListener("input", () => this.#on.move(name, rounded(Number(slider.value))));
    slider.addEventListener("change", () => this.#on.settle());
    label.addEventListener("dblclick", () => this.#on.release(name));
    lock.addEventListener("click", () => this.#on.lock(name));
    this.#rows.set(name, { row, slider, lock });
    return row;
  }

  /** Shows the distances and scores of the face. A slider that is being dragged stays under its pointer. */
  show(state, face) {
    for (const [name, { row, slider, lock }] of this.#rows) {
      const target = state.distances[name];
      const distance = target ?? face?.distances[name];
      if (distance !== undefined) {
        const { low, high } = this.#ranges[name];
        slider.min = Math.min(low, distance);
        slider.max = Math.max(high, distance);
        slider.value = distance;
      }
      slider.disabled = distance === undefined;
      row.classList.toggle("moved", target !== undefined);
      row.querySelector(".distance").textContent = shown(distance);
      row.querySelector(".score").textContent = shown(face?.scores?.[name]);
      slider.setAttribute("aria-valuetext", `${shown(distance)} from the boundary`);
      lock.setAttribute("aria-pressed", state.locks.includes(name));
    }
  }
}

const shown = (number) => (number === undefined ? "" : number.toFixed(2).replace("-", "−"));
