import Sqlite from 'better-sqlite3';

/** Another process (or another node of this one) holds the data directory. */
export class DataDirInUseError extends Error {
  override readonly name = 'DataDirInUseError';

  constructor(readonly dataDir: string) {
    super(`data directory ${dataDir} is in use by another node; stop that one, or give this one its own node.data_dir`);
  }
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

/** A database file cannot be read as what it was. The message names the file and the way out. */
export class DatabaseDamagedError extends Error {
  override readonly name = 'DatabaseDamagedError';

  constructor(
    readonly file: string,
    what: string,
    options?: ErrorOptions,
  ) {
    super(
      `database ${file} is damaged: ${what}. ` +
        `Way out: move ${file} (with its -wal and -shm beside it) away, or put a backup in its place, and start again; ` +
        `a node without one fetches the chain from its peers. Entries that no block held yet are only in the moved file.`,
      options,
    );
  }
}

/** Runs `read`; what SQLite reports as damage becomes a DatabaseDamagedError about `file`, the rest passes. */
export function namingDamage<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Sqlite.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)) {
      throw new DatabaseDamagedError(file, error.message, { cause: error });
    }
    throw error;
  }
}
