import type { Clock, Timer } from '../common/clock.js';
import { between, type Random } from '../common/random.js';

/** How long a reason has to stand, in milliseconds: a random time between the two. */
export type DelayMs = readonly [shortest: number, longest: number];

/**
 * A reason to mine that counts only once it has stood for a random time. Where many nodes have the same reason at the same
 * moment, mostly one of them acts on it, and the others see it gone before their time has come.
 */
export class StandingReason {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #delayMs: DelayMs;
  readonly #stands: () => boolean;
  readonly #onDue: () => void;
  #timer: Timer | undefined;
  #isDue = false;

  /** `stands`: is there the reason now? `onDue` is called when it has stood long enough. */
  constructor(options: {
    readonly clock: Clock;
    readonly random: Random;
    readonly delayMs: DelayMs;
    readonly stands: () => boolean;
    readonly onDue: () => void;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#delayMs = options.delayMs;
    this.#stands = options.stands;
    this.#onDue = options.onDue;
  }

  /** True from the end of the delay until the reason is gone. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** To be called whenever what `stands` looks at may have changed. */
  update(): void {
    if (!this.#stands()) {
      this.reset();
    } else if (!this.#isDue) {
      this.#timer ??= this.#clock.after(between(this.#random, ...this.#delayMs), () => {
        this.#timer = undefined;
        this.#isDue = true;
        this.#onDue();
      });
    }
  }

  /** The reason there was is gone; what stands now may be another one, with a delay of its own. */
  reset(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#isDue = false;
  }
}
