import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import { BackupError, checkBackupFile, plainError, type BackupSummary } from './backup-file.js';
import { removeDatabaseFile, syncFile } from './database-file.js';
import { DATABASE_FILE, DATA_FILES } from './database.js';

/** 4 MiB; between two steps the process does other things, such as heeding a signal. */
const PAGES_A_STEP = 1_024;

/** Errors of a file system that knows no second names for a file. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

export interface BackupOptions {
  readonly dataDir: string;
  /** Where the backup goes; its directory must be there. */
  readonly file: string;
  /** An existing file may be replaced. */
  readonly isForced?: boolean;
  /** Told of bytes copied. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Copies a node's database as it is at one moment, whether a node runs on it or not: one read transaction holds that
 * moment while pages are copied, beside which the node goes on writing (its -wal file grows meanwhile). Without that
 * transaction SQLite's backup would begin anew at each commit of the node, and never end on a busy one. The copy is
 * searched for damage, and only then gets its name: `file` is never a half-written backup.
 * @throws BackupError, DatabaseTooNewError
 */
export async function backUp(options: BackupOptions): Promise<BackupSummary> {
  const { dataDir, isForced = false } = options;
  // Absolute, since better-sqlite3 trims the names of files.
  const file = resolve(options.file);
  const database = join(resolve(dataDir), DATABASE_FILE);
  if (statOf(database) === undefined) {
    throw new BackupError(`there is no database ${database}: is this the node's configuration and data directory?`);
  }
  checkTarget(file, dataDir, isForced);
  const partial = `${file}.partial-${process.pid}`;
  try {
    removeDatabaseFile(partial);
    await copy(database, partial, options);
    const summary = checkCopy(partial, database);
    syncFile(partial);
    publish(partial, file, isForced);
    syncFile(file);
    return summary;
  } catch (error) {
    throw plainError(error, file);
  } finally {
    removeDatabaseFile(partial);
  }
}

function checkTarget(file: string, dataDir: string, isForced: boolean): void {
  const directory = dirname(resolve(file));
  if (!statOf(directory)?.isDirectory())
    throw new BackupError(`there is no directory ${directory} for ${basename(file)}: make it`);
  const isBeside = realpathSync(directory) === realpathSync(dataDir);
  if (isBeside && DATA_FILES.some((name) => name === basename(file))) {
    throw new BackupError(`${file} is the node's own: give the backup another name`);
  }
  const present = statOf(file);
  if (present === undefined) return;
  if (present.isDirectory()) throw new BackupError(`${file} is a directory: give the name of a file in it`);
  // Such as /dev/null or /dev/stdout, in the place of which a file would be put.
  if (!present.isFile()) throw new BackupError(`${file} is no file: give the name of one`);
  if (!isForced) throw alreadyThere(file);
}

async function copy(database: string, partial: string, options: BackupOptions): Promise<void> {
  const { onProgress = () => undefined, signal } = options;
  let source: Sqlite.Database;
  try {
    source = new Sqlite(database, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw unreadable(error, database);
  }
  try {
    try {
      source.exec('BEGIN');
      // A transaction begins with its first read.
      source.prepare('SELECT count(*) FROM sqlite_schema').get();
    } catch (error) {
      throw unreadable(error, database);
    }
    const pageBytes = source.pragma('page_size', { simple: true }) as number;
    await source.backup(partial, {
      progress({ totalPages, remainingPages }) {
        if (signal?.aborted) throw new BackupError('stopped: no backup was made');
        onProgress((totalPages - remainingPages) * pageBytes, totalPages * pageBytes);
        return PAGES_A_STEP;
      },
    });
  } finally {
    source.close();
  }
}

/** Undefined where nothing is. @throws BackupError where that cannot be told. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw plainError(error, path);
  }
}

/** Whoever reads a database with a log has to make files beside it, unless a running node has them there. */
function unreadable(error: unknown, database: string): unknown {
  try {
    accessSync(dirname(database), constants.W_OK);
  } catch (obstacle) {
    return plainError(obstacle, dirname(database));
  }
  return plainError(error, database);
}

/** What is wrong with a copy was wrong with its original. */
function checkCopy(partial: string, database: string): BackupSummary {
  try {
    return checkBackupFile(partial, database);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    throw new BackupError(`no backup was made: ${error.message}`, { cause: error });
  }
}

function publish(partial: string, file: string, isForced: boolean): void {
  if (isForced) return renameSync(partial, file);
  try {
    // Unlike a rename it fails if the name was taken meanwhile.
    linkSync(partial, file);
    rmSync(partial);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' || existsSync(file)) throw alreadyThere(file);
    if (!NO_LINKS.has(code)) throw error;
    renameSync(partial, file);
  }
}

function alreadyThere(file: string): BackupError {
  return new BackupError(`${file} is there already: give another name, or --force to replace it`);
}
