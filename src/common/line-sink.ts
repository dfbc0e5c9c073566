import { write, writeSync } from 'node:fs';

/** What waits for a reader may take this much memory; further lines are dropped. */
const MAX_WAITING_BYTES = 1024 * 1024;
/** Bytes in one write: enough that a burst costs few of them. */
const MAX_BATCH_BYTES = 64 * 1024;
/** After a write that failed, for example on a full disk or a closed pipe. */
const RETRY_MS = 1_000;
/** After a write for which a pipe or terminal had no room. */
const NO_ROOM_RETRY_MS = 50;
/** A write that takes longer is taken to hang. */
const HANGING_MS = 250;

interface Batch {
  readonly bytes: Buffer;
  readonly lines: number;
  /** Bytes written so far. */
  written: number;
}

/** Why lines were dropped, and how many since the last report. */
export interface DroppedLines {
  readonly count: number;
  readonly reason: string;
}

/**
 * Writes lines to a file descriptor, and never makes its caller wait. The writes are left to libuv's threads, one at a
 * time. So a pipe that nobody reads or a paused terminal holds a thread and not the event loop, whatever kind of file
 * the descriptor is. Lines wait in memory meanwhile, up to 1 MiB; further ones are dropped and counted. So are lines
 * whose write fails (full disk, closed pipe). A later line is tried again, so the log goes on once there is room.
 */
export class LineSink {
  readonly #waiting: string[] = [];
  #waitingBytes = 0;
  #batch: Batch | undefined;
  #writeStartedMs: number | undefined;
  #retry: NodeJS.Timeout | undefined;
  #dropped = 0;
  #reported = 0;
  #reason = '';
  /** The last byte written did not end a line. */
  #isTorn = false;

  /**
   * @param onRecovered called once after lines were dropped, when writing works again.
   */
  constructor(
    private readonly fd: number,
    private readonly onRecovered: (dropped: DroppedLines) => void = () => {},
  ) {}

  /** Lines dropped since the start. */
  get linesDropped(): number {
    return this.#dropped;
  }

  /** Takes one or more whole lines. Never throws, never waits. */
  write(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      // While a failed write waits to be tried again, its error is the reason.
      this.#drop(linesIn(text), this.#retry === undefined ? 'nobody reads it' : this.#reason);
      return;
    }
    this.#waiting.push(text);
    this.#waitingBytes += bytes;
    this.#pump();
  }

  /**
   * Writes what waits, for the end of the process: no write by another thread comes back after it. Gives up where a write
   * hangs, because this one would hang as well.
   */
  writeRest(): void {
    const isHanging = this.#writeStartedMs !== undefined && performance.now() - this.#writeStartedMs > HANGING_MS;
    if (isHanging) return;
    const begun = this.#writeStartedMs === undefined ? (this.#batch?.bytes.subarray(this.#batch.written) ?? '') : '';
    const rest = begun.toString() + this.#waiting.splice(0).join('');
    this.#waitingBytes = 0;
    if (rest === '') return;
    try {
      writeSync(this.fd, rest);
    } catch {
      // The process ends; nobody is left to be told.
    }
  }

  #pump(): void {
    if (this.#writeStartedMs !== undefined || this.#retry !== undefined) return;
    this.#batch ??= this.#nextBatch();
    if (this.#batch === undefined) return;
    const { bytes, written } = this.#batch;
    this.#writeStartedMs = performance.now();
    write(this.fd, bytes, written, bytes.length - written, null, (error, count) => {
      this.#writeStartedMs = undefined;
      if (error === null) this.#wrote(count);
      else this.#failed(error);
    });
  }

  #nextBatch(): Batch | undefined {
    if (this.#waiting.length === 0) return undefined;
    let size = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || size < MAX_BATCH_BYTES)) {
      size += Buffer.byteLength(this.#waiting[count]!);
      count += 1;
    }
    this.#waitingBytes -= size;
    const text = this.#waiting.splice(0, count).join('');
    // What is left of a line that could not be written whole must not run into the next one.
    return { bytes: Buffer.from(this.#isTorn ? `\n${text}` : text), lines: linesIn(text), written: 0 };
  }

  #wrote(count: number): void {
    const batch = this.#batch!;
    batch.written += count;
    this.#isTorn = batch.bytes[batch.written - 1] !== 0x0a;
    if (batch.written >= batch.bytes.length) this.#batch = undefined;
    const unreported = this.#dropped - this.#reported;
    if (unreported > 0 && this.#waitingBytes <= MAX_WAITING_BYTES / 2) {
      this.#reported = this.#dropped;
      this.onRecovered({ count: unreported, reason: this.#reason });
    }
    this.#pump();
  }

  #failed(error: NodeJS.ErrnoException): void {
    const hasNoRoom = error.code === 'EAGAIN';
    if (!hasNoRoom) {
      const { bytes, written } = this.#batch!;
      this.#drop(linesIn(bytes.subarray(written).toString()), error.code ?? error.message);
      this.#batch = undefined;
    }
    const retry = setTimeout(
      () => {
        this.#retry = undefined;
        this.#pump();
      },
      hasNoRoom ? NO_ROOM_RETRY_MS : RETRY_MS,
    );
    this.#retry = retry.unref();
  }

  #drop(lines: number, reason: string): void {
    this.#dropped += lines;
    this.#reason = reason;
  }
}

function linesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
