/** What the service says of a model, as the page needs it. */

/** The range of a slider whose samples are not known. */
const USUAL_RANGE = { low: -3, high: 3 };

export class PageModel {
  #described;

  /** `described` is the answer of `/v1/models/{model}`. */
  constructor(described) {
    this.#described = described;
  }

  get name() {
    return this.#described.name;
  }

  get digest() {
    return this.#described.digest;
  }

  /** The attributes that the classifiers score. */
  get attributes() {
    return this.#described.attributes;
  }

  get psi() {
    return this.#described.truncation?.psi ?? 1;
  }

  get spaces() {
    return this.#described.spaces.map(({ name }) => name);
  }

  /** The number of layers of a w+ code; undefined without w+. */
  get layers() {
    return this.#described.spaces.find(({ name }) => name === "w+")?.shape[0];
  }

  /** The boundaries that a code in `space` moves along. In w+, those of w serve the attributes without one of w+. */
  boundariesOf(space) {
    const of = (wanted) => this.#described.boundaries.filter((one) => one.space === wanted);
    const own = of(space);
    if (space !== "w+") {
      return own;
    }
    const attributes = new Set(own.map(({ attribute }) => attribute));
    return [...own, ...of("w").filter(({ attribute }) => !attributes.has(attribute))];
  }

  /** The distances between which nearly all samples lie, for each attribute of `space`. */
  rangesOf(space) {
    return Object.fromEntries(this.boundariesOf(space).map(({ attribute, distances }) => [attribute, distances ?? USUAL_RANGE]));
  }

  /** The first of `spaces` that has boundaries, the model's default space before the others. */
  editedSpace(spaces) {
    const inOrder = [this.#described.default_space, ...spaces].filter((space) => spaces.includes(space));
    return inOrder.find((space) => this.boundariesOf(space).length > 0) ?? inOrder[0];
  }

  /** The space in which the service samples faces to judge and to train the boundaries of `space`. */
  sampledSpace(space) {
    return space === "z" || !this.spaces.includes("w") ? "z" : "w";
  }
}
