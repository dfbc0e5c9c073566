import { existsSync, linkSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import Sqlite from 'better-sqlite3';
import {
  BackupError,
  checkBackupFile,
  plainError,
  removeDatabaseFile,
  syncFile,
  type BackupSummary,
} from './backup-file.js';
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
  const { dataDir, file, isForced = false } = options;
  const database = join(dataDir, DATABASE_FILE);
  if (!existsSync(database)) {
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
  if (!existsSync(directory))
    throw new BackupError(`there is no directory ${directory} for ${basename(file)}: make it`);
  const isBeside = realpathSync(directory) === realpathSync(dataDir);
  if (isBeside && DATA_FILES.some((name) => name === basename(file))) {
    throw new BackupError(`${file} is the node's own: give the backup another name`);
  }
  if (!existsSync(file)) return;
  if (statSync(file).isDirectory()) throw new BackupError(`${file} is a directory: give the name of a file in it`);
  if (!isForced) throw alreadyThere(file);
}

async function copy(database: string, partial: string, options: BackupOptions): Promise<void> {
  const { onProgress = () => undefined, signal } = options;
  let source: Sqlite.Database;
  try {
    source = new Sqlite(database, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw plainError(error, database);
  }
  try {
    try {
      source.exec('BEGIN');
      // A transaction begins with its first read.
      source.prepare('SELECT count(*) FROM sqlite_schema').get();
    } catch (error) {
      throw plainError(error, database);
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
