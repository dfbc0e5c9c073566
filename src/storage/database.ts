import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Logger } from '../common/logger.js';
import { prepareDataDir } from './data-dir.js';
import { FileGuard } from './file-guard.js';
import { FIRST_SCHEMA, migrations } from './migrations.js';
import {
  DataDirInUseError,
  DataDirLostError,
  DatabaseBusyError,
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
/** The log (-wal) may grow beyond this while somebody reads, or writes much; afterwards its file is cut to this. */
export const LOG_LIMIT_BYTES = 8 * 1024 * 1024;

/** A database that gives its directory's lock back when it is closed, and knows whether its files are still in place. */
class LockedDatabase extends Sqlite {
  /** Held here, since a connection that is garbage-collected drops its lock. */
  readonly #lock: Database;
  readonly #dataDir: string;
  #guard: FileGuard | undefined;

  constructor(dataDir: string, lock: Database) {
    super(join(dataDir, DATABASE_FILE));
    this.#dataDir = dataDir;
    this.#lock = lock;
  }

  /** From now on `checkFiles` knows the files. */
  guard(): void {
    const names = [DATABASE_FILE, `${DATABASE_FILE}-wal`, LOCK_FILE];
    this.#guard = new FileGuard(names.map((name) => join(this.#dataDir, name)));
  }

  checkFiles(): void {
    const problem = this.#guard?.problem();
    if (problem !== undefined) throw new DataDirLostError(this.#dataDir, problem);
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
 *   DatabaseUnusableError, DatabaseBusyError
 */
export function openDatabase(dataDir: string, log: Logger): Database {
  if (dataDir === ':memory:') return prepare(new Sqlite(dataDir), dataDir, log);
  prepareDataDir(dataDir, DATA_FILES);
  // Absolute, since better-sqlite3 trims the names of files.
  const directory = resolve(dataDir);
  const lock = lockDirectory(directory);
  const file = join(directory, DATABASE_FILE);
  let database: LockedDatabase | undefined;
  try {
    return namingObstacle(file, () =>
      namingDamage(file, () => {
        database = new LockedDatabase(directory, lock);
        prepare(database, file, log);
        database.guard();
        return database;
      }),
    );
  } catch (error) {
    (database ?? lock).close();
    throw error;
  }
}

/**
 * Are the files of the database still those in its data directory? What is written to them otherwise is lost with the end
 * of the process.
 * @throws DataDirLostError
 */
export function checkFiles(database: Database): void {
  if (database instanceof LockedDatabase) database.checkFiles();
}

/**
 * Makes the function by which a store writes: it runs `work` in one transaction; all of its writes are on disk when it
 * returns, none when it throws.
 * @throws (the function) DataDirLostError, DatabaseBusyError at once, before `work` runs; DatabaseDamagedError; SqliteError.
 */
export function createTransact(database: Database): (work: () => void) => void {
  // Takes the lock for writing first, so that another program's is met before any work is done.
  const transact = database.transaction((work: () => void) => work());
  return (work) => {
    checkFiles(database);
    namingDamage(database.name, () => transact.immediate(work));
  };
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
  const file = join(resolve(dataDir), LOCK_FILE);
  const lock = namingObstacle(file, () => new Sqlite(file, { timeout: 0 }));
  try {
    namingObstacle(file, () => namingDamage(file, () => lock.exec('BEGIN EXCLUSIVE'), 'delete it; it holds no data'));
    return lock;
  } catch (error) {
    lock.close();
    if (error instanceof DatabaseBusyError) throw new DataDirInUseError(dataDir);
    throw error;
  }
}

function prepare(database: Database, file: string, log: Logger): Database {
  const inMemory = file === ':memory:';
  setPragma(database, 'journal_mode', 'wal', inMemory ? 'memory' : 'wal');
  setPragma(database, 'synchronous', 'FULL', 2);
  setPragma(database, 'foreign_keys', 'ON', 1);
  database.pragma(`cache_size = -${PAGE_CACHE_KIB}`);
  database.pragma(`journal_size_limit = ${LOG_LIMIT_BYTES}`);
  if (!inMemory) checkDamage(database, file);
  migrate(database, file, log);
  // From now on the event loop runs: it must not wait for a lock of another program. Callers try again.
  database.pragma('busy_timeout = 0');
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
