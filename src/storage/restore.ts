import { accessSync, chmodSync, constants, copyFileSync, existsSync, renameSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ConsensusParams } from '../consensus/params.js';
import { BackupError, checkBackupFile, plainError, type BackupSummary } from './backup-file.js';
import { prepareDataDir } from './data-dir.js';
import { removeDatabaseFile, syncFile } from './database-file.js';
import { DATABASE_FILE, DATA_FILES, lockDirectory } from './database.js';

export interface RestoreOptions {
  readonly file: string;
  readonly dataDir: string;
  /** The network that the node is configured for. */
  readonly params: ConsensusParams;
}

/**
 * Puts a backup into a data directory that has no database. A copy is searched for damage beside its later place first;
 * then one rename makes it the node's database, so that a crash leaves all of it there or none.
 * @throws BackupError, DataDirInUseError, DataDirUnusableError, DatabaseTooNewError: then there is no database.
 */
export function restore({ file, dataDir, params }: RestoreOptions): BackupSummary {
  checkSource(file);
  prepareDataDir(dataDir, DATA_FILES);
  const lock = lockDirectory(dataDir);
  // Absolute, since better-sqlite3 trims the names of files.
  const database = join(resolve(dataDir), DATABASE_FILE);
  const spare = `${database}.restore`;
  try {
    checkEmpty(database);
    removeDatabaseFile(spare);
    try {
      copyFileSync(file, spare, constants.COPYFILE_EXCL);
      // The copy has the rights of its original, which may be there to be read only.
      chmodSync(spare, statSync(spare).mode | 0o600);
    } catch (error) {
      throw plainError(error, spare);
    }
    const summary = checkBackupFile(spare, file);
    if (summary.genesis !== params.genesis.hash) throw otherNetwork(file, summary, params);
    syncFile(spare);
    renameSync(spare, database);
    syncFile(database);
    return summary;
  } finally {
    removeDatabaseFile(spare);
    lock.close();
  }
}

function checkSource(file: string): void {
  try {
    const source = statSync(file);
    if (source.isDirectory()) throw new BackupError(`${file} is a directory: give the name of a backup in it`);
    // Of a pipe nothing would be left to be read after a first look at it.
    if (!source.isFile()) throw new BackupError(`${file} is no file: put what comes from there into one first`);
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw plainError(error, file);
  }
  const log = `${file}-wal`;
  if (existsSync(log) && statSync(log).size > 0) {
    throw new BackupError(
      `${file} is no backup but the database of a node, of which ${log} is a part: make one with \`minichain backup\``,
    );
  }
}

/** A log or journal without its database counts too: it would be read as a part of the one that is put beside it. */
function checkEmpty(database: string): void {
  const present = ['', '-wal', '-journal'].map((part) => database + part).find((path) => existsSync(path));
  if (present === undefined) return;
  throw new BackupError(
    `${present} is there already: restore into an empty data directory, or move the node.db files away first`,
  );
}

function otherNetwork(file: string, { genesis }: BackupSummary, params: ConsensusParams): BackupError {
  return new BackupError(
    `${file} is of another network: its genesis is ${genesis}, network "${params.network}" with this configuration has ` +
      `${params.genesis.hash}. Give the configuration of the node that it was made of`,
  );
}
