/** The sliders: one for each boundary, with its distance, its score and its lock. */

import { rounded } from "./face_state.js";


export class Sliders {
  #rows = new Map();
  #ranges = {};
  #known;
  #box;
  #on;

  /** `on.move(attribute, distance)` is called while a slider moves, `on.settle()` after it, `on.lock(attribute)` for a lock,
   * `on.release(attribute)` for the end of a move. */
  constructor(box, on) {
    this.#box = box;
    this.#on = on;
  }

  /** Shows a slider for each attribute. `known` describes the classifiers' attributes, and `ranges` has `low` and `high` of each
   * attribute. Sliders of the same attributes stay, and keep the focus. */
  build(attributes, known, ranges) {
    this.#ranges = ranges;
    if (known === this.#known && attributes.join("\n") === [...this.#rows.keys()].join("\n")) {
      return;
    }
    this.#known = known;
    this.#rows.clear();
    this.#box.replaceChildren(...attributes.map((name) => this.#row(name, known.find((one) => one.name === name))));
  }

  #row(name, known) {
    const row = document.getElementById("slider-row").content.firstElementChild.cloneNode(true);
    const [label, slider, release, lock] = ["label", "input", ".release", ".lock"].map((part) => row.querySelector(part));
    slider.id = `slider-${name}`;
    label.htmlFor = slider.id;
    label.textContent = name;
    if (known?.positive !== undefined) {
      label.title = `left: ${known.negative}; right: ${known.positive}`;
    }
    lock.setAttribute("aria-label", `Lock ${name}`);
    slider.addEventListener("input", () => this.#on.move(name, rounded(Number(slider.value))));
    slider.addEventListener("change", () => this.#on.settle());
    release.setAttribute("aria-label", `End the move of ${name}`);
    release.addEventListener("click", () => this.#on.release(name));
    lock.addEventListener("click", () => this.#on.lock(name));
    this.#rows.set(name, { row, slider, release, lock });
    return row;
  }

  /** Shows the distances and scores of the face. A slider that is being dragged stays under its pointer. */
  show(state, face) {
    for (const [name, { row, slider, release, lock }] of this.#rows) {
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
      release.classList.toggle("unused", target === undefined);
      release.disabled = target === undefined;
      row.querySelector(".distance").textContent = shown(distance);
      row.querySelector(".score").textContent = shown(face?.scores?.[name]);
      slider.setAttribute("aria-valuetext", `${shown(distance)} from the boundary`);
      lock.setAttribute("aria-pressed", name in state.locks);
    }
  }
}

const shown = (number) => (number === undefined ? "" : number.toFixed(2).replace("-", "−"));
