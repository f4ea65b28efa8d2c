/** The dialog that trains boundaries and shows their figures. */
import { byId, on } from "./dom.js";
import { cancelJob, followJob, train } from "./service.js";

/** Why the model keeps its boundary of an attribute. */
const keptLine = ({ attribute, reason, new: found, current }) => {
  const figures = found === undefined || current === undefined ? "" : ` (correlation ${found.toFixed(3)}, the present one ${current.toFixed(3)})`;
  return `The model keeps its boundary of ${attribute}: ${reason}${figures}.`;
};

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
    // The boundaries of ranked style channels cannot be compared.
    byId("training-keep").disabled = space === "s";
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
    const keeps = byId("training-keep");
    // Boundaries are compared by samples that none of them was fitted to.
    const seed = Math.floor(Math.random() * 2 ** 32);
    const keep = keeps.checked && !keeps.disabled ? "better" : "new";
    this.#figures.hidden = true;
    try {
      const job = await train(this.model, { attributes, space: this.space, samples, keep, seed });
      this.#running(job.id);
      const last = await followJob(job.id, (state) => this.#show(state));
      if (last.boundaries.length > 0) {
        this.#showFigures(last.boundaries);
        const doubts = last.boundaries.flatMap(({ attribute, warnings = [] }) => warnings.map((warning) => `${attribute}: ${warning}`));
        this.#status.textContent = [this.#status.textContent, ...doubts].join(" ");
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
    const { status, samples, samples_done: done, seconds_left: left, fitting, failure, comparisons = [] } = job;
    const kept = comparisons.filter((comparison) => comparison.kept === "current");
    this.#progress.value = done / samples;
    const texts = {
      queued: "Waits for earlier jobs.",
      sampling: `${done} of ${samples} faces scored${left === undefined ? "" : `, about ${Math.ceil(left)} s left`}.`,
      fitting: `Fits ${fitting ?? "boundaries"}.`,
      done: ["Done.", ...kept.map(keptLine), ...(kept.length < job.attributes.length ? ["The model has the new boundaries."] : [])].join(" "),
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
