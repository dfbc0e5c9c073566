import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { CliError, EXIT } from './exit.js';
import { bytes, printable } from './format.js';

/** Larger than any entry: of a larger file only the SHA-256 is of interest. */
const MAX_ENTRY_FILE_BYTES = 32_768;

/** A file as proofs know it. */
export interface DataFile {
  readonly sha256: Buffer;
  /** undefined for a large file. */
  readonly bytes: Buffer | undefined;
  /** When it was last changed, in milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/** Reads a file of any size. @throws CliError (usage) */
export async function readDataFile(path: string): Promise<DataFile> {
  const { size, mtimeMs } = statOf(path);
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw unreadable(path, error);
  }
  const content = size <= MAX_ENTRY_FILE_BYTES ? readWhole(path, MAX_ENTRY_FILE_BYTES) : undefined;
  return { sha256: hash.digest(), bytes: content, modifiedMs: Math.floor(mtimeMs) };
}

/** @throws CliError (usage), also for a file of more than `most` bytes. */
export function readWhole(path: string, most: number): Buffer {
  const { size } = statOf(path);
  if (size > most)
    throw new CliError(`${printable(path)} has ${bytes(size)}, at most ${bytes(most)} make sense`, EXIT.usage);
  try {
    return readFileSync(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * Reads what need not be a file, such as a pipe, and no more of it than `most` bytes: a device may have no end.
 * @param what the path is, for the message. @throws CliError (usage)
 */
export function readBounded(path: string, most: number, what: string): Buffer {
  const content = Buffer.alloc(most + 1);
  let length = 0;
  try {
    const file = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && length <= most; length += read) {
        read = readSync(file, content, length, content.length - length, null);
      }
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new CliError(`cannot read ${what} ${printable(path)}: ${(error as NodeJS.ErrnoException).code}`, EXIT.usage);
  }
  if (length <= most) return content.subarray(0, length);
  throw new CliError(`${printable(path)} is too long for ${what}: at most ${bytes(most)} make sense`, EXIT.usage);
}

export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // A loop of links or a name that is too long is no file either.
    return false;
  }
}

/** Writes a file that is there whole or not at all. @throws CliError */
export function writeWhole(path: string, content: Uint8Array): void {
  const partial = `${path}.partial-${process.pid}`;
  try {
    writeFileSync(partial, content);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    throw new CliError(`cannot write ${printable(path)}: ${(error as NodeJS.ErrnoException).code}`, EXIT.failed);
  }
}

function statOf(path: string): { readonly size: number; readonly mtimeMs: number } {
  try {
    const stat = statSync(path);
    if (stat.isFile()) return stat;
  } catch (error) {
    throw unreadable(path, error);
  }
  throw new CliError(`${printable(path)} is not a file`, EXIT.usage);
}

function unreadable(path: string, error: unknown): CliError {
  return new CliError(`cannot read ${printable(path)}: ${(error as NodeJS.ErrnoException).code}`, EXIT.usage);
}
