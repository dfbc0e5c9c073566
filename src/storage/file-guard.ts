import { statSync } from 'node:fs';
import { basename } from 'node:path';

interface Identity {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/**
 * Remembers which files are open under these paths. SQLite goes on writing to a file that was deleted or moved, without an
 * error, and what it writes then is lost or stands where no later start looks for it.
 */
export class FileGuard {
  readonly #files: readonly Identity[];

  /** Call it once the files are open; paths that lead to nothing are left out. */
  constructor(paths: readonly string[]) {
    this.#files = paths.flatMap((path) => identityOf(path) ?? []);
  }

  /** What is wrong, in words; undefined if all of the files are where they were. Takes some microseconds. */
  problem(): string | undefined {
    for (const { path, device, inode } of this.#files) {
      const found = identityOf(path);
      if (found === undefined) return `${basename(path)} is gone`;
      if (found.device !== device || found.inode !== inode) return `${basename(path)} is another file`;
    }
    return undefined;
  }
}

/** Undefined also where the path cannot be followed: its directory may be gone, or no longer readable. */
function identityOf(path: string): Identity | undefined {
  try {
    const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stats && { path, device: stats.dev, inode: stats.ino };
  } catch {
    return undefined;
  }
}
