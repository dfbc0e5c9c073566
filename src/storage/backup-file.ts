import { statSync } from 'node:fs';
import Sqlite from 'better-sqlite3';
import { processUser } from '../common/process-user.js';
import type { Hash } from '../consensus/codec.js';
import type { Database } from './database.js';
import { hash256 } from '../consensus/hash.js';
import { checkSchema } from './storage-errors.js';

/** A backup cannot be made or restored, for a reason that the user can see to; nothing was changed. One line. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
}

/** What a backup holds. */
export interface BackupSummary {
  readonly genesis: Hash;
  readonly height: number;
  readonly tip: Hash;
  /** Entries that wait in the mempool. */
  readonly entries: number;
  /** Of these, the ones that the node has acknowledged itself: a POST that was answered 202. */
  readonly acknowledged: number;
  readonly bytes: number;
}

/**
 * Searches a backup for damage, all of it, and makes it one file that stands for itself, to be read from a read-only disk too.
 * @param name what to call it in messages.
 * @throws BackupError when it is damaged or no backup of a node; DatabaseTooOldError, DatabaseTooNewError.
 */
export function checkBackupFile(file: string, name: string): BackupSummary {
  try {
    const database = new Sqlite(file, { fileMustExist: true });
    try {
      database.pragma('journal_mode = DELETE');
      return { ...inspect(database, name), bytes: statSync(file).size };
    } finally {
      database.close();
    }
  } catch (error) {
    throw plainError(error, name);
  }
}

interface BlockRow {
  readonly height: number;
  readonly header: Buffer;
}

function inspect(database: Database, name: string): Omit<BackupSummary, 'bytes'> {
  const version = database.pragma('user_version', { simple: true }) as number;
  checkSchema(name, version);
  if (version === 0) throw new BackupError(`${name} is no backup of a minichain node`);
  const damage = database.pragma('integrity_check(1)', { simple: true });
  if (damage !== 'ok') throw new BackupError(`${name} is damaged: ${String(damage).replaceAll(/\s+/g, ' ')}`);
  const genesis = database.prepare<[], BlockRow>('SELECT height, header FROM blocks ORDER BY id LIMIT 1').get();
  const tip = database
    .prepare<[], BlockRow>('SELECT height, header FROM chain_tip JOIN blocks ON blocks.id = block_id')
    .get();
  if (genesis?.height !== 0 || tip === undefined) throw new BackupError(`${name} holds no chain`);
  const mempool = database.prepare<[], { entries: number; acknowledged: number }>(
    'SELECT count(*) AS entries, coalesce(sum(acknowledged), 0) AS acknowledged FROM mempool',
  );
  return { genesis: hash256(genesis.header), height: tip.height, tip: hash256(tip.header), ...mempool.get()! };
}

/** What files and SQLite say about `name`, in words; other errors pass. */
export function plainError(error: unknown, name: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const code = String(error.code);
  const reason = (): string | undefined => {
    // The other one: it has no such table.
    if (code === 'SQLITE_NOTADB' || code === 'SQLITE_ERROR') return 'is no backup of a minichain node';
    if (code.startsWith('SQLITE_CORRUPT')) return `is damaged: ${error.message}`;
    if (code === 'SQLITE_FULL' || code === 'ENOSPC') return 'cannot be written: no space is left there';
    if (code === 'EROFS') return 'cannot be written: that is a read-only file system';
    if (code === 'ENOENT') return 'is not there';
    if (code === 'EISDIR' || code === 'ENOTDIR') return 'is not the path of a file';
    if (code === 'EACCES' || code === 'EPERM' || /^SQLITE_(CANTOPEN|READONLY|PERM)/.test(code)) {
      return `may not be read or written by ${processUser()}: run this as the user of the node, or see to the rights there`;
    }
    return code.startsWith('SQLITE_IOERR') || 'syscall' in error ? `cannot be used: ${error.message}` : undefined;
  };
  const text = reason();
  return text === undefined ? error : new BackupError(`${name} ${text}`, { cause: error });
}
