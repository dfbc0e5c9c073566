import type { Clock, Timer } from '../../src/common/clock.js';

interface Task {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once it is cancelled or has run. */
  run: (() => void) | undefined;
}

/**
 * Time that moves only when told to. Timers run in the order of their due time (then of their making), and between two
 * of them everything that promises have to do is done, so a run depends on nothing but its inputs.
 */
export class VirtualClock implements Clock {
  /** A binary heap, the next task first; cancelled ones stay in it until their time has come. */
  readonly #heap: Task[] = [];
  /** Monotonic; wall time is ahead of it by #wallAheadMs. No multiple of it resembles a date. */
  #nowMs = 12_345;
  #wallAheadMs: number;
  #made = 0;
  #pending = 0;

  /** @param startMs wall time. */
  constructor(startMs = Date.UTC(2026, 5, 1)) {
    this.#wallAheadMs = startMs - this.#nowMs;
  }

  nowMs(): number {
    return this.#nowMs + this.#wallAheadMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  /** Sets the wall clock forward, or back if negative, as people and NTP do. No time passes, and no timer is due by it. */
  jumpWall(byMs: number): void {
    this.#wallAheadMs += byMs;
  }

  after(delayMs: number, run: () => void): Timer {
    // Whole milliseconds, as the real clock tells them.
    const task: Task = { atMs: this.#nowMs + Math.max(0, Math.ceil(delayMs)), order: this.#made++, run };
    this.#pending += 1;
    this.#push(task);
    return {
      cancel: () => {
        if (task.run !== undefined) this.#pending -= 1;
        task.run = undefined;
      },
    };
  }

  /** Timers that are neither run nor cancelled. */
  get pendingTimers(): number {
    return this.#pending;
  }

  /** Lets `durationMs` pass. */
  async advance(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await settled();
    for (let task = this.#next(); task !== undefined && task.atMs <= endMs; task = this.#next()) {
      await this.#runNext(task);
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
   * Lets time pass until `isDone`, which is asked whenever time has moved on and all of that moment is done.
   * @throws Error naming `what` when that has not come after `limitMs` of virtual time.
   */
  async until(what: string, isDone: () => boolean, limitMs = 60_000): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    await settled();
    while (!isDone()) {
      const next = this.#next();
      if (next === undefined || next.atMs > endMs) throw new Error(`not within ${limitMs} ms of virtual time: ${what}`);
      await this.advance(next.atMs - this.#nowMs);
    }
  }

  async #runNext(task: Task): Promise<void> {
    const run = task.run!;
    this.#pop();
    task.run = undefined;
    this.#pending -= 1;
    this.#nowMs = Math.max(this.#nowMs, task.atMs);
    run();
    await settled();
  }

  /** The next task that is not cancelled; those before it are thrown away. */
  #next(): Task | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.run === undefined) this.#pop();
    return this.#heap[0];
  }

  #push(task: Task): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      if (isBefore(heap[parent]!, task)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = task;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** All microtasks and the immediates that they queue are done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
