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
   * Runs `task` once, `delayMs` of monotonic time from now; after 0 ms, in a later turn of the event loop that runs no
   * other such task. Waiting for longer does not keep the process alive.
   */
  after(delayMs: number, task: () => void): Timer;
}

/** What `after(0)` was given and did not run yet. */
const soon: { task: (() => void) | undefined }[] = [];

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, task) {
    if (delayMs <= 0) return runSoon(task);
    const handle = setTimeout(task, delayMs).unref();
    return { cancel: () => clearTimeout(handle) };
  },
};

/**
 * Each turn of the event loop runs one task: Node would run all immediates of a turn together, as it does timers, so the
 * pieces of several long jobs would add up to one long turn. The immediate stays referenced, for otherwise it would wait for
 * the next event, which may be seconds away.
 */
function runSoon(task: () => void): Timer {
  const waiting: (typeof soon)[number] = { task };
  if (soon.push(waiting) === 1) setImmediate(runNext);
  return { cancel: () => (waiting.task = undefined) };
}

function runNext(): void {
  const next = soon.shift();
  if (soon.length > 0) setImmediate(runNext);
  if (next?.task === undefined) return;
  next.task();
}

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
