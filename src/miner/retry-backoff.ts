import type { Clock, Timer } from '../common/clock.js';

const SHORTEST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;

/** The waits between failed attempts: 1 s after the first failure, then twice as long each time, up to 30 s. */
export class RetryBackoff {
  #failures = 0;
  #wait: Timer | undefined;

  /** @param onOver called at the end of each wait, unless it was skipped. */
  constructor(
    private readonly clock: Clock,
    private readonly onOver: () => void,
  ) {}

  get isWaiting(): boolean {
    return this.#wait !== undefined;
  }

  /** An attempt failed: the next wait begins, of at most `longestMs`. @returns its length in milliseconds. */
  fail(longestMs = LONGEST_WAIT_MS): number {
    this.skip();
    const waitMs = Math.min(SHORTEST_WAIT_MS * 2 ** this.#failures, longestMs);
    this.#failures += 1;
    this.#wait = this.clock.after(waitMs, () => {
      this.#wait = undefined;
      this.onOver();
    });
    return waitMs;
  }

  /** Ends the wait, if there is one, so that the next attempt can be made now. */
  skip(): void {
    this.#wait?.cancel();
    this.#wait = undefined;
  }

  /** An attempt succeeded: the wait after the next failure is the shortest again. */
  succeed(): void {
    this.#failures = 0;
  }
}
