/** The dialog that trains boundaries and shows their figures. */
import { byId, on } from "./dom.js";
import { cancelJob, followJob, train } from "./service.js";

export class TrainingDialog {
  #status = byId("training-status");
  #progress = byId("training-progress");
  #figures = byId("training-figures");
  #job;
  #trained;

  /** `trained()` is called when the model has new boundaries. */
  constructor(trained) {
    this.#trained = trained;
    on("training-form", "submit", (event) => {
      event.preventDefault();
      void this.#start();
    });
    on("training-cancel", "click", () => void this.#cancel());
  }

  /** Opens the dialog for the classifiers' `attributes` of `model`. */
  open(model, space, attributes) {
    this.model = model;
    this.space = space;
    byId("training-space").textContent = space;
    const choice = (name, index) => {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", value: name, checked: index === 0 });
      const label = document.createElement("label");
      label.append(box, ` ${name}`);
      return label;
    };
    if (this.#job === undefined) {
      byId("training-attributes").replaceChildren(...attributes.map(choice));
    }
    byId("training").showModal();
  }

  async #cancel() {
    try {
      await cancelJob(this.#job);
    } catch (error) {
      this.#status.textContent = error.message;
    }
  }

  async #start() {
    const boxes = [...byId("training-attributes").querySelectorAll("input")];
    const attributes = boxes.filter((box) => box.checked).map((box) => box.value);
    const samples = Number(byId("training-samples").value);
    this.#figures.hidden = true;
    try {
      // Faces that the current boundary was fitted to do not judge it fairly: a new seed has others.
      const seed = Math.floor(Math.random() * 2 ** 31);
      const job = await train(this.model, { attributes, space: this.space, samples, seed, keep: "better" });
      this.#running(job.id);
      const last = await followJob(job.id, (state) => this.#show(state));
      const { boundaries, comparisons = [] } = last;
      const kept = comparisons.filter((one) => one.kept === "current").map(({ attribute, reason }) => `${attribute} keeps its boundary: ${reason}.`);
      const doubts = boundaries.flatMap(({ attribute, warnings = [] }) => warnings.map((warning) => `${attribute}: ${warning}`));
      this.#status.textContent = [this.#status.textContent, ...kept, ...doubts].join(" ");
      if (boundaries.length > 0) {
        this.#showFigures(boundaries);
        this.#trained();
      }
    } catch (error) {
      this.#status.textContent = error.message;
    }
    this.#running(undefined);
  }

  #running(job) {
    this.#job = job;
    this.#progress.hidden = byId("training-cancel").hidden = job === undefined;
    byId("training-start").disabled = job !== undefined;
  }

  #show(job) {
    const { status, samples, samples_done: done, seconds_left: left, fitting, failure, boundaries } = job;
    this.#progress.value = done / samples;
    const texts = {
      queued: "Waits for earlier jobs.",
      sampling: `${done} of ${samples} faces scored${left === undefined ? "" : `, about ${Math.ceil(left)} s left`}.`,
      fitting: `Fits ${fitting ?? "boundaries"}.`,
      done: boundaries.length > 0 ? `Done. The model has new boundaries: ${boundaries.map(({ attribute }) => attribute).join(", ")}.` : "Done.",
      cancelled: "Cancelled.",
      failed: failure,
    };
    this.#status.textContent = texts[status];
  }

  #showFigures(boundaries) {
    const share = (number) => (number === undefined ? "–" : number.toFixed(3));
    const row = ({ attribute, space, accuracy }) => {
      const line = document.createElement("tr");
      const cells = [attribute, space, share(accuracy?.held_out), share(accuracy?.cosine)];
      line.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
      return line;
    };
    this.#figures.tBodies[0].replaceChildren(...boundaries.map(row));
    this.#figures.hidden = false;
  }
}
