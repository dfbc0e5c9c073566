import type { Clock, Timer } from '../../src/common/clock.js';

/** A node's own clock, whose wall time is wrong by an offset that may be set at any time. */
export class SettableClock implements Clock {
  constructor(
    private readonly base: Clock,
    public offsetMs = 0,
  ) {}

  nowMs(): number {
    return this.base.nowMs() + this.offsetMs;
  }

  monotonicMs(): number {
    return this.base.monotonicMs();
  }

  after(delayMs: number, task: () => void): Timer {
    return this.base.after(delayMs, task);
  }
}
