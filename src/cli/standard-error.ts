import { write } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { leave } from '../common/leave.js';
import type { ExitCode } from './exit.js';
import type { Output } from './terminal.js';

const STDERR = 2;
/** After a write for which a pipe or terminal had no room. */
const NO_ROOM_RETRY_MS = 50;
/** A report that takes longer to write goes to somebody who does not read it. */
const REPORT_LIMIT_MS = 1_000;

const writeSome = promisify(write);

/**
 * Standard error of this process. `process.stderr` writes to a pipe at once and waits for its reader, if need be for ever.
 * Here a thread writes, one text after the other, and the end of the process waits for it only for a moment.
 */
export class StandardError implements Output {
  #written: Promise<void> = Promise.resolve();
  #isEnding = false;

  constructor(private readonly terminal: Pick<Output, 'isTTY' | 'columns'>) {}

  readonly fd = STDERR;

  get isTTY(): boolean {
    return this.terminal.isTTY === true;
  }

  get columns(): number {
    return this.terminal.columns ?? 0;
  }

  write(text: string): void {
    // There is nowhere to report a failure, and the command itself should go on: it may be a node.
    this.#written = this.#written.then(() => writeAll(Buffer.from(text))).catch(() => {});
  }

  /** Writes a last text, and ends the process with `code` once it is written or a second has passed. */
  async end(text: string, code: ExitCode): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.write(text);
    await Promise.race([this.#written, sleep(REPORT_LIMIT_MS)]);
    // What else there is to write is written by these.
    process.emit('exit', code);
    leave(code);
  }
}

async function writeAll(bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    try {
      at += (await writeSome(STDERR, bytes, at, bytes.length - at, null)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await sleep(NO_ROOM_RETRY_MS);
    }
  }
}
