/** The states that undo and redo lead to. */
export class History {
  #past = [];
  #future = [];
  #present;

  /** Makes `state` the present. Equal states count once. */
  record(state) {
    if (this.#present !== undefined && JSON.stringify(this.#present) !== JSON.stringify(state)) {
      this.#past.push(this.#present);
      this.#future = [];
    }
    this.#present = state;
  }

  undo() {
    return this.#step(this.#past, this.#future);
  }

  redo() {
    return this.#step(this.#future, this.#past);
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  #step(from, to) {
    if (from.length > 0) {
      to.push(this.#present);
      this.#present = from.pop();
    }
    return this.#present;
  }
}
