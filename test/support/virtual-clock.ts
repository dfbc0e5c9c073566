import type { Clock, Timer } from '../../src/common/clock.js';

interface Task {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/**
 * Time that moves only when told to. Timers run in the order of their due time (then of their making), and between two
 * of them everything that promises have to do is done, so a run depends on nothing but its inputs.
 */
export class VirtualClock implements Clock {
  readonly #tasks: Task[] = [];
  #nowMs: number;
  #made = 0;

  constructor(startMs = Date.UTC(2026, 5, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    // Whole milliseconds, as the real clock tells them.
    const task: Task = { atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), order: this.#made++, run };
    // Binary search for the place: tasks are kept in the order in which they will run.
    let low = 0;
    let high = this.#tasks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#tasks[middle]!.atMs <= task.atMs) low = middle + 1;
      else high = middle;
    }
    this.#tasks.splice(low, 0, task);
    return {
      cancel: () => {
        const index = this.#tasks.indexOf(task);
        if (index >= 0) this.#tasks.splice(index, 1);
      },
    };
  }

  /** Timers that are neither run nor cancelled. */
  get pendingTimers(): number {
    return this.#tasks.length;
  }

  /** Lets `durationMs` pass. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settled();
    while (this.#tasks.length > 0 && this.#tasks[0]!.atMs <= endMs) {
      const task = this.#tasks.shift()!;
      this.#nowMs = Math.max(this.#nowMs, task.atMs);
      task.run();
      await settled();
    }
    this.#nowMs = endMs;
  }

  /** Lets time pass until the promise is settled, and gives what it gives. */
  async during<T>(what: string, promise: Promise<T>, limitMs?: number): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await this.until(what, () => isSettled, limitMs);
    return promise;
  }

  /**
   * Lets time pass until `isDone`.
   * @throws Error naming `what` when that has not come after `limitMs` of virtual time.
   */
  async until(what: string, isDone: () => boolean, limitMs = 60_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    await settled();
    while (!isDone()) {
      const next = this.#tasks[0];
      if (next === undefined || next.atMs > endMs) throw new Error(`not within ${limitMs} ms of virtual time: ${what}`);
      await this.advance(next.atMs - this.#nowMs);
    }
  }
}

/** All microtasks and the immediates that they queue are done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
