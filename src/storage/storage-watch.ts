import { statSync } from 'node:fs';
import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { every, type Clock, type Timer } from '../common/clock.js';
import { Faults } from '../common/faults.js';
import type { Logger } from '../common/logger.js';
import { CLOCK, LOGGER } from '../common/tokens.js';
import { checkFiles, LOG_LIMIT_BYTES, type Database } from './database.js';
import { DATABASE } from './database-token.js';
import { DataDirLostError } from './storage-errors.js';

const LOOK_EVERY_MS = 1_000;

/** Looks every second whether the database's files are still in place, and cuts its log (-wal) when that has grown. */
@Injectable()
export class StorageWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #log: Logger;
  readonly #listeners = new Set<(problem: string | undefined) => void>();
  #problem: string | undefined;
  #timer: Timer | undefined;

  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) log: Logger,
    private readonly faults: Faults,
  ) {
    this.#log = log.child({ module: 'storage' });
  }

  onApplicationBootstrap(): void {
    if (this.database.memory) return;
    this.#timer = every(this.clock, LOOK_EVERY_MS, () => {
      this.look();
      if (this.#problem === undefined) this.#cutLog();
    });
  }

  beforeApplicationShutdown(): void {
    this.#timer?.cancel();
  }

  /** Calls `listener` when the data directory is lost, with what is wrong, and with undefined when it is back. */
  onChange(listener: (problem: string | undefined) => void): void {
    this.#listeners.add(listener);
  }

  /** Looks now. */
  look(): void {
    const fault = this.#fault();
    if (fault?.message === this.#problem) return;
    const wasLost = this.#problem !== undefined;
    this.#problem = fault?.message;
    if (fault === undefined) this.#log.info('The data directory is back in its place');
    else if (!wasLost) this.faults.report(fault);
    for (const listener of this.#listeners) listener(this.#problem);
  }

  #fault(): DataDirLostError | undefined {
    try {
      checkFiles(this.database);
      return undefined;
    } catch (error) {
      if (error instanceof DataDirLostError) return error;
      throw error;
    }
  }

  /** A reader that was open for long has kept SQLite from reusing the log, which grew with every write. */
  #cutLog(): void {
    const bytes = statSync(`${this.database.name}-wal`, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes <= LOG_LIMIT_BYTES) return;
    try {
      // Does not wait: as long as there are readers, or another program writes, it does less or nothing.
      this.database.pragma('wal_checkpoint(TRUNCATE)');
    } catch (error) {
      this.faults.report(error as Error);
    }
  }
}
