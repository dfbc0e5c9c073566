import type { Clock, Timer } from '../common/clock.js';
import { between, type Random } from '../common/random.js';

/** The bounds of a random delay in milliseconds. */
export type DelayMs = readonly [shortest: number, longest: number];

/**
 * A reason to mine that counts only after it has held for a random delay. Many nodes may get the same reason at the same
 * moment. The one with the shortest delay acts on it, and mostly the reason is gone before the delay of any other ends.
 */
export class DelayedReason {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #delayMs: DelayMs;
  readonly #holds: () => boolean;
  readonly #onDue: () => void;
  #timer: Timer | undefined;
  #isDue = false;

  /** `holds`: does the reason exist now? `onDue` is called when it has held for the whole delay. */
  constructor(options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly delayMs: DelayMs;
    readonly holds: () => boolean;
    readonly onDue: () => void;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#delayMs = options.delayMs;
    this.#holds = options.holds;
    this.#onDue = options.onDue;
  }

  /** True from the end of the delay until the reason is gone. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** Call it whenever the answer of `holds` may have changed. */
  update(): void {
    if (!this.#holds()) {
      this.reset();
    } else if (!this.#isDue) {
      this.#timer ??= this.#clock.after(between(this.#random, ...this.#delayMs), () => {
        this.#timer = undefined;
        this.#isDue = true;
        this.#onDue();
      });
    }
  }

  /** Forgets the reason. If one holds at the next update, it counts as another one, with a delay of its own. */
  reset(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#isDue = false;
  }
}
