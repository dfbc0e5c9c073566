import { existsSync, readFileSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Pages at the end of a SQLite write-ahead log that belong to no finished commit (https://sqlite.org/fileformat2.html,
 * section 4): more than none tells that the process was killed while it wrote one.
 */
export function unfinishedPages(walFile: string): number {
  if (!existsSync(walFile)) return 0;
  const wal = readFileSync(walFile);
  if (wal.length < HEADER_BYTES) return 0;
  const frameBytes = FRAME_HEADER_BYTES + wal.readUInt32BE(8);
  const salt = wal.subarray(16, 24);
  let unfinished = 0;
  for (let at = HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
    // Frames of an earlier pass through the file follow.
    if (!wal.subarray(at + 8, at + 16).equals(salt)) break;
    const isCommit = wal.readUInt32BE(at + 4) > 0;
    unfinished = isCommit ? 0 : unfinished + 1;
  }
  return unfinished;
}
