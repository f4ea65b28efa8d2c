/**
 * Runs one task at a time, and always the newest next: a task that waits is replaced by a newer one. A dragged slider thus shows every
 * image that can be made, and leaves no queue behind.
 */
export class LatestOnly {
  #running = false;
  #next;
  #ended;

  /** `ended()` is called when nothing runs or waits any more. */
  constructor(ended) {
    this.#ended = ended;
  }

  /** Whether a task runs or waits. */
  get busy() {
    return this.#running;
  }

  /** Runs `task`, now or when the running one has ended. */
  run(task) {
    this.#next = task;
    if (!this.#running) {
      void this.#work();
    }
  }

  async #work() {
    this.#running = true;
    while (this.#next !== undefined) {
      const task = this.#next;
      this.#next = undefined;
      await task();
    }
    this.#running = false;
    this.#ended();
  }
}
