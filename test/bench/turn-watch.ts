import { openSync, readSync } from 'node:fs';

/** One turn of the event loop: from one look at its end to the next. All in milliseconds. */
export interface Turn {
  /** How long others had to wait because of the node: the CPU time it used, and all that it waited for, such as the disk. */
  readonly heldMs: number;
  readonly cpuMs: number;
  /** `heldMs` and the time for which other threads had the CPU. */
  readonly wallMs: number;
}

const NO_TURN: Turn = { heldMs: 0, cpuMs: 0, wallMs: 0 };

/**
 * Measures the longest turn of this process's main thread. On a busy machine a thread that could run waits for a CPU, which
 * is not the node's doing: the kernel counts that time (/proc/self/schedstat), and it is subtracted. Waiting for the
 * disk or for a lock is the node's doing and stays in. Where the kernel does not count it (not Linux), nothing is subtracted.
 */
export class TurnWatch {
  readonly #schedstat = openSchedstat();
  readonly #buffer = Buffer.alloc(80);
  #longest = NO_TURN;
  #ticker: NodeJS.Immediate | undefined;
  #last = this.#now();

  start(): void {
    this.#longest = NO_TURN;
    this.#last = this.#now();
    this.#ticker = setImmediate(this.#tick);
  }

  /** @returns the longest turn since start(). */
  stop(): Turn {
    clearImmediate(this.#ticker);
    return this.#longest;
  }

  /** Runs `work` as one turn, and measures it. */
  measure(work: () => void): Turn {
    const before = this.#now();
    work();
    return turnBetween(before, this.#now());
  }

  readonly #tick = (): void => {
    const now = this.#now();
    const turn = turnBetween(this.#last, now);
    if (turn.heldMs > this.#longest.heldMs) this.#longest = turn;
    this.#last = now;
    this.#ticker = setImmediate(this.#tick);
  };

  #now(): { wallMs: number; cpuMs: number; queuedMs: number } {
    const { user, system } = process.threadCpuUsage();
    return { wallMs: performance.now(), cpuMs: (user + system) / 1000, queuedMs: this.#queuedMs() };
  }

  /** How long the main thread has waited for a CPU so far. */
  #queuedMs(): number {
    if (this.#schedstat === undefined) return 0;
    const length = readSync(this.#schedstat, this.#buffer, 0, this.#buffer.length, 0);
    return Number(this.#buffer.toString('latin1', 0, length).split(' ')[1]) / 1e6;
  }
}

function turnBetween(
  start: { wallMs: number; cpuMs: number; queuedMs: number },
  end: { wallMs: number; cpuMs: number; queuedMs: number },
): Turn {
  const wallMs = end.wallMs - start.wallMs;
  return { wallMs, cpuMs: end.cpuMs - start.cpuMs, heldMs: wallMs - (end.queuedMs - start.queuedMs) };
}

function openSchedstat(): number | undefined {
  try {
    return openSync('/proc/self/schedstat', 'r');
  } catch {
    return undefined;
  }
}

export function longestOf(turns: readonly Turn[]): Turn {
  return turns.reduce((longest, turn) => (turn.heldMs > longest.heldMs ? turn : longest), NO_TURN);
}
