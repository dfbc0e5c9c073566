import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../common/clock.js';
import { LOG_LIMIT_BYTES, type Database } from './database.js';

/** Pages of the log that make copying them worth it; SQLite's own default. */
const DUE_PAGES = 1_000;
/** SQLite writes the log from its start again once all of it is copied. Where writes never pause, it never is. */
const LONG_PAGES = 4_000;
/**
 * Then the event loop copies the rest, if it is no more than this part of the log: 250 pages, a few milliseconds, of one that
 * has just become long. The faster others write, the longer the log gets, and the more is copied, so there is an end to it.
 */
const SMALL_PART = 1 / 16;
/** After a fault. */
const RETRY_MS = 5_000;

/** What the log (-wal) holds, in pages, and how much of that is in the database too. */
interface LogState {
  readonly log: number;
  readonly checkpointed: number;
}

/**
 * Copies the log (-wal) of a database into it (a checkpoint), and keeps the log short. SQLite would do so within a commit: a
 * block of 10,000 entries leaves up to 40 MiB to copy, the end of a long reader even more. So commits never do it, and a thread does.
 */
export class Checkpointer {
  #worker: Worker | undefined;
  #isCopying = false;
  #retryAtMs = -Infinity;

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
    private readonly onFault: (error: Error) => void,
  ) {}

  /** From now on somebody has to call look() every now and then. */
  start(): void {
    this.database.pragma('wal_autocheckpoint = 0');
  }

  /** Has the log copied or cut, if that is due. */
  look(): void {
    if (this.#isCopying || this.clock.monotonicMs() < this.#retryAtMs) return;
    try {
      this.#look();
    } catch (error) {
      this.#failed(error as Error);
    }
  }

  /** Call it before the database is closed. */
  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }

  #look(): void {
    const { log, checkpointed } = this.#state('NOOP');
    const rest = log - checkpointed;
    if (rest === 0) {
      if (this.#isFileLong()) this.#state('TRUNCATE');
    } else if (log >= LONG_PAGES) {
      if (rest <= log * SMALL_PART) this.#state('PASSIVE');
      else this.#copy();
    } else if (rest >= DUE_PAGES) this.#copy();
  }

  #failed(error: Error): void {
    this.#retryAtMs = this.clock.monotonicMs() + RETRY_MS;
    this.onFault(error);
  }

  #copy(): void {
    this.#isCopying = true;
    this.#worker ??= this.#startWorker();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage('copy');
  }

  #startWorker(): Worker {
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    const url = new URL(`./checkpoint-worker${extension}`, import.meta.url);
    const worker = new Worker(url, { workerData: this.database.name, name: 'checkpoint' })
      .on('message', () => (this.#isCopying = false))
      .on('error', (error) => {
        this.#isCopying = false;
        this.#worker = undefined;
        this.#failed(error as Error);
      });
    worker.unref();
    return worker;
  }

  /** Does not wait for anybody who reads or writes: the next look is another attempt. */
  #state(mode: 'NOOP' | 'PASSIVE' | 'TRUNCATE'): LogState {
    const [state] = this.database.pragma(`wal_checkpoint(${mode})`) as [LogState];
    return state;
  }

  #isFileLong(): boolean {
    const stats = statSync(`${this.database.name}-wal`, { throwIfNoEntry: false });
    return stats !== undefined && stats.size > LOG_LIMIT_BYTES;
  }
}
