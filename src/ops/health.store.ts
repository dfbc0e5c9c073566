import { Inject, Injectable } from '@nestjs/common';
import type { Statement } from 'better-sqlite3';
import { createTransact, type Database } from '../storage/database.js';
import { DATABASE } from '../storage/database-token.js';

@Injectable()
export class HealthStore {
  readonly #probe: Statement<[number]>;
  readonly #transact: (work: () => void) => void;

  constructor(@Inject(DATABASE) database: Database) {
    this.#transact = createTransact(database);
    this.#probe = database.prepare(`
      INSERT INTO meta (key, value) VALUES ('health_probe_ms', ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value
    `);
  }

  /** Commits a small write, to learn whether the database takes one. `nowMs` is wall time. @throws see createTransact. */
  saveProbe(nowMs: number): void {
    this.#transact(() => this.#probe.run(nowMs));
  }
}
