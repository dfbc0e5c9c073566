import type { Clock, Timer } from '../common/clock.js';

/** Runs a task as soon as it is requested, but so that `periodMs` lie between two runs: requests in between make one run. */
export class Paced {
  #lastMs = -Infinity;
  #timer: Timer | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly periodMs: number,
    private readonly task: () => void,
  ) {}

  request(): void {
    if (this.#timer !== undefined) return;
    const waitMs = this.#lastMs + this.periodMs - this.clock.monotonicMs();
    if (waitMs <= 0) this.#run();
    else this.#timer = this.clock.after(waitMs, () => this.#run());
  }

  /** Takes back a request that waits for its time. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #run(): void {
    this.#timer = undefined;
    this.#lastMs = this.clock.monotonicMs();
    this.task();
  }
}
