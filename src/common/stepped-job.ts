import type { Clock, Timer } from './clock.js';

export interface SteppedJobInit {
  readonly clock: Clock;
  /** Is there something that a step can do? */
  readonly isDue: () => boolean;
  /** Does a bounded part of the work. @throws faults of our own; the step is tried again after `retryMs`. */
  readonly step: () => void;
  readonly fault: (error: Error) => void;
  readonly retryMs: number;
}

/** Work that would hold the event loop for long, done in steps as long as something is due: each in a turn of its own. */
export class SteppedJob {
  readonly #given: SteppedJobInit;
  #next: Timer | undefined;

  constructor(given: SteppedJobInit) {
    this.#given = given;
  }

  /** Something may be due now. */
  soon(): void {
    this.#schedule(0);
  }

  /** Does the next step at once. */
  now(): void {
    this.cancel();
    if (!this.#given.isDue()) return;
    try {
      this.#given.step();
      this.#schedule(0);
    } catch (error) {
      this.#given.fault(error as Error);
      this.#schedule(this.#given.retryMs);
    }
  }

  cancel(): void {
    this.#next?.cancel();
    this.#next = undefined;
  }

  #schedule(delayMs: number): void {
    if (this.#given.isDue()) this.#next ??= this.#given.clock.after(delayMs, () => this.now());
  }
}
