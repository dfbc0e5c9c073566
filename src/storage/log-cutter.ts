import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { LOG_LIMIT_BYTES, type Database } from './database.js';

/** SQLite's default, in pages: how long the log gets before a commit checkpoints it. */
const CHECKPOINT_PAGES = 1_000;

/**
 * Cuts a database's log (-wal) after a reader that was open for long has kept SQLite from reusing it: the log grows with
 * every write then, and the first commit after the reader's end would copy all of it, for a second or longer. So a thread
 * copies, and commits leave that to it meanwhile.
 */
export class LogCutter {
  #worker: Worker | undefined;

  constructor(
    private readonly database: Database,
    private readonly onFault: (error: Error) => void,
  ) {}

  /** Begins to cut the log if it is too long. */
  look(): void {
    if (this.#worker !== undefined || !this.#isLong()) return;
    this.database.pragma('wal_autocheckpoint = 0');
    const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
    const url = new URL(`./checkpoint-worker${extension}`, import.meta.url);
    this.#worker = new Worker(url, { workerData: this.database.name, name: 'checkpoint' })
      .on('error', (error) => this.onFault(error as Error))
      .on('exit', () => this.#finish());
    this.#worker.unref();
  }

  /** Call it before the database is closed. */
  async stop(): Promise<void> {
    await this.#worker?.terminate();
  }

  #finish(): void {
    this.#worker = undefined;
    if (!this.database.open) return;
    this.database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    try {
      // Copies what was written since, and cuts the file. Does not wait: if somebody reads, the next look is another attempt.
      this.database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      this.onFault(error as Error);
    }
  }

  #isLong(): boolean {
    const stats = statSync(`${this.database.name}-wal`, { throwIfNoEntry: false });
    return stats !== undefined && stats.size > LOG_LIMIT_BYTES;
  }
}
