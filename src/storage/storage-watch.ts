import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { every, type Clock, type Timer } from '../common/clock.js';
import { Faults } from '../common/faults.js';
import type { Logger } from '../common/logger.js';
import { CLOCK, LOGGER } from '../common/tokens.js';
import { Checkpointer } from './checkpointer.js';
import { checkFiles, type Database } from './database.js';
import { DATABASE } from './database-token.js';
import { DATA_DIR_LOST, DataDirLostError } from './storage-errors.js';

const LOOK_EVERY_MS = 1_000;
/** A sync of full blocks leaves a hundred MiB a second in the log. */
const LOG_EVERY_MS = 100;

/** Looks every second whether the database's files are still in place, and has its log (-wal) copied and cut. */
@Injectable()
export class StorageWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #log: Logger;
  readonly #checkpointer: Checkpointer;
  readonly #listeners = new Set<(problem: string | undefined) => void>();
  #problem: string | undefined;
  #timers: readonly Timer[] = [];

  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) log: Logger,
    private readonly faults: Faults,
  ) {
    this.#log = log.child({ module: 'storage' });
    this.#checkpointer = new Checkpointer(database, clock, faults.report);
  }

  onApplicationBootstrap(): void {
    if (this.database.memory) return;
    this.#checkpointer.start();
    this.#timers = [
      every(this.clock, LOOK_EVERY_MS, () => this.look()),
      every(this.clock, LOG_EVERY_MS, () => {
        if (this.#problem === undefined) this.#checkpointer.look();
      }),
    ];
  }

  async beforeApplicationShutdown(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    await this.#checkpointer.stop();
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
    if (fault === undefined) {
      this.faults.ended(DATA_DIR_LOST);
      this.#log.info('The data directory is back in its place');
    } else if (!wasLost) this.faults.report(fault);
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
}
