import { statSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Logger } from '../common/logger.js';
import { prepareDataDir } from './data-dir.js';
import { FIRST_SCHEMA, migrations } from './migrations.js';
import {
  DataDirInUseError,
  DatabaseDamagedError,
  checkSchema,
  namingDamage,
  namingObstacle,
} from './storage-errors.js';

export type Database = Sqlite.Database;

export const DATABASE_FILE = 'node.db';
export const LOCK_FILE = 'node.lock';
/** The node's private key; it stands beside the database, so that no backup holds it. */
export const NODE_KEY_FILE = 'node.key';
/** All that a data directory holds of ours; SQLite keeps the ones with an appendix beside an open database. */
export const DATA_FILES = [
  LOCK_FILE,
  `${LOCK_FILE}-journal`,
  NODE_KEY_FILE,
  DATABASE_FILE,
  `${DATABASE_FILE}-journal`,
  `${DATABASE_FILE}-wal`,
  `${DATABASE_FILE}-shm`,
] as const;

/** A bigger file is not searched whole for damage at every start: that would read all of it (about 1 GB/s). */
const WHOLE_CHECK_MAX_BYTES = 64 * 1024 * 1024;
const PAGE_CACHE_KIB = 16 * 1024;

/** A database that gives its directory's lock back when it is closed. */
class LockedDatabase extends Sqlite {
  /** Held here, since a connection that is garbage-collected drops its lock. */
  readonly #lock: Database;

  constructor(file: string, lock: Database) {
    super(file);
    this.#lock = lock;
  }

  override close(): this {
    super.close();
    this.#lock.close();
    return this;
  }
}

/**
 * Opens the node's database in `dataDir` (made if missing; ':memory:' for none), locked for this process alone,
 * durable at each commit (WAL, synchronous=FULL), at the newest schema. close() frees the lock, and so does kill -9.
 * @throws DataDirUnusableError, DataDirInUseError, DatabaseDamagedError, DatabaseTooOldError, DatabaseTooNewError,
 *   DatabaseUnusableError
 */
export function openDatabase(dataDir: string, log: Logger): Database {
  if (dataDir === ':memory:') return prepare(new Sqlite(dataDir), dataDir, log);
  prepareDataDir(dataDir, DATA_FILES);
  const lock = lockDirectory(dataDir);
  const file = join(dataDir, DATABASE_FILE);
  let database: Database | undefined;
  try {
    return namingObstacle(file, () =>
      namingDamage(file, () => {
        database = new LockedDatabase(file, lock);
        return prepare(database, file, log);
      }),
    );
  } catch (error) {
    (database ?? lock).close();
    throw error;
  }
}

/**
 * Opens (makes) a database file beside the node's own, as durable and at the same schema, for whoever holds the
 * directory's lock.
 */
export function openSpareDatabase(file: string, log: Logger): Database {
  const database = new Sqlite(file);
  try {
    return prepare(database, file, log);
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Locks a data directory for this process until close() of what it returns. An exclusive SQLite transaction on a file of
 * its own: the operating system ends it with the process, however it dies.
 * @throws DataDirInUseError, DatabaseDamagedError about the lock file.
 */
export function lockDirectory(dataDir: string): Database {
  const file = join(dataDir, LOCK_FILE);
  const lock = namingObstacle(file, () => new Sqlite(file, { timeout: 0 }));
  try {
    namingObstacle(file, () => namingDamage(file, () => lock.exec('BEGIN EXCLUSIVE'), 'delete it; it holds no data'));
    return lock;
  } catch (error) {
    lock.close();
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY'))
      throw new DataDirInUseError(dataDir);
    throw error;
  }
}

function prepare(database: Database, file: string, log: Logger): Database {
  const inMemory = file === ':memory:';
  setPragma(database, 'journal_mode', 'wal', inMemory ? 'memory' : 'wal');
  setPragma(database, 'synchronous', 'FULL', 2);
  setPragma(database, 'foreign_keys', 'ON', 1);
  database.pragma(`cache_size = -${PAGE_CACHE_KIB}`);
  if (!inMemory) checkDamage(database, file);
  migrate(database, file, log);
  return database;
}

/** Our promises rest on these: a build or file system that does not grant one must not go unnoticed. */
function setPragma(database: Database, name: string, value: string, expected: string | number): void {
  database.pragma(`${name} = ${value}`);
  const found = database.pragma(name, { simple: true });
  if (found !== expected) throw new Error(`SQLite gives ${name} = ${String(found)}, ${expected} is needed`);
}

function checkDamage(database: Database, file: string): void {
  if (statSync(file).size > WHOLE_CHECK_MAX_BYTES) return;
  const found = database.pragma('quick_check(1)', { simple: true });
  if (found === 'ok') return;
  throw new DatabaseDamagedError(
    file,
    String(found)
      .replace(/^\*+ in database \w+ \*+/, '')
      .replaceAll(/\s+/g, ' ')
      .trim(),
  );
}

function migrate(database: Database, file: string, log: Logger): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  checkSchema(file, version);
  for (const [step, sql] of migrations.entries()) {
    const schema = FIRST_SCHEMA + step;
    if (schema <= version) continue;
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${schema}`);
    })();
    log.debug({ file, schema }, `Database schema updated to ${schema}`);
  }
}
