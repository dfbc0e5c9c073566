/** Handle of a timer; opaque. */
export interface Timer {
  cancel(): void;
}

/** Time and timers of a node, so that a simulation can run many nodes on one virtual clock. */
export interface Clock {
  /**
   * Wall time: milliseconds since the epoch. Only for moments that other machines, people or a later run of this node
   * read. Somebody may set the clock of the machine at any time, so the difference of two of these is not a duration.
   */
  nowMs(): number;
  /**
   * Milliseconds since some fixed moment of this run, as a fraction. Never goes back, whatever happens to wall time: for
   * every wait, age, rate, latency and expiry. It stands still while the machine sleeps (Linux), as timers do.
   */
  monotonicMs(): number;
  /**
   * Runs `task` once, `delayMs` of monotonic time from now; after 0 ms, in the next turn of the event loop. Does not keep
   * the process alive.
   */
  after(delayMs: number, task: () => void): Timer;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    // Node runs timers that became due during a long one in the same turn, so work that is cut into pieces by setTimeout(0)
    // could keep others waiting all the same.
    if (delayMs <= 0) {
      const immediate = setImmediate(task).unref();
      return { cancel: () => clearImmediate(immediate) };
    }
    const handle = setTimeout(task, delayMs).unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/** Runs `task` every `periodMs` until cancelled. */
export function every(clock: Clock, periodMs: number, task: () => void): Timer {
  let timer = clock.after(periodMs, tick);
  function tick(): void {
    timer = clock.after(periodMs, tick);
    task();
  }
  return { cancel: () => timer.cancel() };
}

/** Wall time in seconds since the epoch, rounded down: the unit of header times. */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000);
}
