/** Handle of a timer; opaque. */
export interface Timer {
  cancel(): void;
}

/** Time and timers of a node, so that a simulation can run many nodes on one virtual clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Runs `task` once, `delayMs` from now. Does not keep the process alive. */
  after(delayMs: number, task: () => void): Timer;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, task) {
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

/** Seconds since the epoch, rounded down. */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000);
}
