/** How long one piece of work should hold the event loop before others get their turn. */
const SLICE_MS = 5;

/**
 * Cuts long work into pieces, so that the event loop serves others in between. However many jobs wait here at once, one
 * turn of the event loop resumes one of them.
 */
export class Turns {
  readonly #waiting: (() => void)[] = [];

  /** @param defer runs a task in a later turn of the event loop. */
  constructor(private readonly defer: (task: () => void) => void) {}

  /** Resolves in a later turn of the event loop. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) this.#schedule();
    });
  }

  #schedule(): void {
    this.defer(() => {
      const [resolve] = this.#waiting.splice(0, 1);
      if (this.#waiting.length > 0) this.#schedule();
      resolve?.();
    });
  }
}

/** Measures one job, for those that cannot say beforehand how much work they are. */
export class Slice {
  #startedMs = performance.now();

  /** Has the job had its share of this turn? */
  get isOver(): boolean {
    return performance.now() - this.#startedMs >= SLICE_MS;
  }

  restart(): void {
    this.#startedMs = performance.now();
  }
}
