import { Inject, Injectable } from '@nestjs/common';
import type { Statement } from 'better-sqlite3';
import type { Database } from '../storage/database.js';
import { DATABASE } from '../storage/storage.module.js';

@Injectable()
export class HealthStore {
  readonly #probe: Statement<[number]>;

  constructor(@Inject(DATABASE) database: Database) {
    this.#probe = database.prepare(`
      INSERT INTO meta (key, value) VALUES ('health_probe_ms', ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value
    `);
  }

  /** Commits a small write, to learn whether the database takes one. @throws what SQLite throws when it does not. */
  saveProbe(nowMs: number): void {
    this.#probe.run(nowMs);
  }
}
