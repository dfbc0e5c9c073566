import { accessSync, constants, existsSync, mkdirSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { processUser } from '../common/process-user.js';

const ELSEWHERE = 'set node.data_dir (MINICHAIN_NODE_DATA_DIR) to another directory';

/** A node cannot keep its data there: no permission, no directory, a read-only file system. One line says what to do. */
export class DataDirUnusableError extends Error {
  override readonly name = 'DataDirUnusableError';
}

/**
 * Makes the data directory if it is missing, and sees to it that this process may write to it and to those of `files`
 * that are there.
 * @throws DataDirUnusableError
 */
export function prepareDataDir(dataDir: string, files: readonly string[]): void {
  checkLink('data directory', dataDir, `make that directory, or ${ELSEWHERE}`);
  makeDirectory(dataDir, dataDir);
  if (!statSync(dataDir).isDirectory()) {
    throw new DataDirUnusableError(`data directory ${dataDir} is not a directory: ${ELSEWHERE}`);
  }
  checkAccess(`data directory ${dataDir}`, dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  for (const file of files.map((name) => join(dataDir, name))) {
    checkLink('database file', file, 'remove the link, or put the file back to where it leads');
    if (!existsSync(file)) continue;
    if (!statSync(file).isFile()) throw new DataDirUnusableError(`database file ${file} is not a file: move it away`);
    checkAccess(`database file ${file}`, file, constants.R_OK | constants.W_OK);
  }
}

/** A link that leads nowhere counts as nothing when it is followed, and as something when a directory is made in its place. */
function checkLink(what: string, path: string, wayOut: string): void {
  if (existsSync(path)) return;
  let target: string;
  try {
    target = readlinkSync(path);
  } catch {
    return;
  }
  throw new DataDirUnusableError(`${what} ${path} is a symbolic link to ${target}, which is not there: ${wayOut}`);
}

/**
 * Step by step, since Node's own recursive mkdir never returns from where the system makes nothing, such as /proc.
 * @param isLastTry false: a directory above may be missing, or another node may make it at this moment.
 */
function makeDirectory(path: string, dataDir: string, isLastTry = false): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || isLastTry) throw notMade(path, dataDir, code);
    const parent = dirname(resolve(path));
    if (!existsSync(parent)) makeDirectory(parent, dataDir);
    makeDirectory(path, dataDir, true);
  }
}

function notMade(path: string, dataDir: string, code = ''): DataDirUnusableError {
  const parent = dirname(resolve(path));
  const reasons: Readonly<Record<string, string>> = {
    EACCES: `${parent} is not writable for ${processUser()}: make ${path} and chown it to that user, or`,
    EPERM: `${parent} is not writable for ${processUser()}: make ${path} and chown it to that user, or`,
    EROFS: `${parent} is on a read-only file system: mount a volume for it, or`,
    ENOTDIR: `${parent} is not a directory:`,
    ENAMETOOLONG: 'the path is too long:',
    ENOSPC: `no space is left on ${parent}: free some, or`,
  };
  return new DataDirUnusableError(
    `data directory ${dataDir} cannot be made, ${reasons[code] ?? `mkdir says ${code}:`} ${ELSEWHERE}`,
  );
}

function checkAccess(what: string, path: string, mode: number): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EROFS') {
      throw new DataDirUnusableError(
        `${what} is on a read-only file system: mount it writable, mount a volume for it, or ${ELSEWHERE}`,
      );
    }
    throw new DataDirUnusableError(
      `${what} is not writable for ${processUser()}: chown it to that user, or ${ELSEWHERE}`,
    );
  }
}
