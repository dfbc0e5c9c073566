import Sqlite from 'better-sqlite3';
import { PassingFault } from '../common/faults.js';
import { FIRST_SCHEMA, SCHEMA } from './migrations.js';

/** Another process (or another node of this one) holds the data directory. */
export class DataDirInUseError extends Error {
  override readonly name = 'DataDirInUseError';

  constructor(readonly dataDir: string) {
    super(`data directory ${dataDir} is in use by another node; stop that one, or give this one its own node.data_dir`);
  }
}

/** The database was written by an earlier program, whose data this one cannot take over. */
export class DatabaseTooOldError extends Error {
  override readonly name = 'DatabaseTooOldError';

  constructor(file: string, found: number, oldest: number) {
    super(
      `database ${file} was written by an earlier minichain (schema ${found}, this one reads ${oldest} and later), whose ` +
        'data cannot be taken over: move the file away or set another node.data_dir, and a new chain begins',
    );
  }
}

/** @throws DatabaseTooOldError, DatabaseTooNewError unless this program knows schema `found` (0 = an empty database). */
export function checkSchema(file: string, found: number): void {
  if (found > SCHEMA) throw new DatabaseTooNewError(file, found, SCHEMA);
  if (found > 0 && found < FIRST_SCHEMA) throw new DatabaseTooOldError(file, found, FIRST_SCHEMA);
}

/** The database was written by a newer program, whose schema this one does not know. */
export class DatabaseTooNewError extends Error {
  override readonly name = 'DatabaseTooNewError';

  constructor(file: string, found: number, known: number) {
    super(
      `database ${file} has schema ${found}, this minichain knows ${known}: start the newer minichain that wrote it`,
    );
  }
}

const REINDEX =
  'run `minichain reindex` with the configuration of this node: it rebuilds the database from what can still be read ' +
  'of it and keeps the damaged file aside; what is lost of the chain comes back from the peers';

/** A database file cannot be read as what it was. The message names the file and the way out. */
export class DatabaseDamagedError extends Error {
  override readonly name = 'DatabaseDamagedError';

  constructor(
    readonly file: string,
    what: string,
    { wayOut = REINDEX, ...options }: ErrorOptions & { wayOut?: string } = {},
  ) {
    super(`database ${file} is damaged: ${what}. Way out: ${wayOut}`, options);
  }
}

/** The database cannot be opened for a reason outside of it: no room, no permission, a failing disk. */
export class DatabaseUnusableError extends Error {
  override readonly name = 'DatabaseUnusableError';

  constructor(file: string, cause: Error) {
    super(`database ${file} cannot be used: ${cause.message}; see to the disk and to the rights on that file`, {
      cause,
    });
  }
}

/** Another program is writing to the database, or holds a lock on it. Nothing was written; the next attempt may succeed. */
export class DatabaseBusyError extends PassingFault {
  override readonly name = 'DatabaseBusyError';

  constructor(file: string, options?: ErrorOptions) {
    const what = `another program holds a lock on database ${file}`;
    super(`${what}: end it, or have it end its transaction`, 'database-locked', 1, options);
  }
}

export const DATA_DIR_LOST = 'data-dir-lost';

/** The files that this process has open are no longer those in the data directory. Nothing was written. */
export class DataDirLostError extends PassingFault {
  override readonly name = 'DataDirLostError';

  constructor(dataDir: string, what: string) {
    super(
      `data directory ${dataDir} was moved, deleted or replaced while the node runs (${what}): move it back, or restart ` +
        'the node with the right node.data_dir',
      DATA_DIR_LOST,
      10,
    );
  }
}

/** Runs `open`; what is wrong around the file `file` becomes a DatabaseUnusableError about it, the rest passes. */
export function namingObstacle<T>(file: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof Sqlite.SqliteError && /^SQLITE_(FULL|IOERR|CANTOPEN|READONLY|PERM)/.test(error.code)) {
      throw new DatabaseUnusableError(file, error);
    }
    throw error;
  }
}

/** The disk, or the room that the database was given, is used up: nothing was written. */
export function isStorageFull(error: unknown): boolean {
  return error instanceof Sqlite.SqliteError && error.code === 'SQLITE_FULL';
}

/**
 * Runs `read`; what SQLite reports as damage becomes a DatabaseDamagedError about `file`, a lock of another program a
 * DatabaseBusyError; the rest passes.
 */
export function namingDamage<T>(file: string, read: () => T, wayOut?: string): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Sqlite.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code)) {
      throw new DatabaseBusyError(file, { cause: error });
    }
    if (error instanceof Sqlite.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)) {
      throw new DatabaseDamagedError(
        file,
        error.message,
        wayOut === undefined ? { cause: error } : { cause: error, wayOut },
      );
    }
    throw error;
  }
}
