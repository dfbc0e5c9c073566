import { setImmediate } from 'node:timers';
import type { Writable } from 'node:stream';
import { every, type Clock, type Timer } from '../common/clock.js';
import type { EventRing } from './event-ring.js';

/** A comment so often shows both sides that the connection is still there. */
const HEARTBEAT_MS = 15_000;
const HEARTBEAT = ':\n\n';
/** Of one write; what a client has not read waits in the ring, not in a buffer of its own. */
const WRITE_CHARS = 65_536;
/** More events than this do not wait for the end of the turn: the ring could lose them before they are written. */
const MAX_UNWRITTEN = 50;

/** What the streams count. */
export interface StreamMeter {
  /** Events written to a stream. */
  sent(events: number): void;
  /** A stream was ended because its client did not read. */
  dropped(): void;
}

export interface StreamStart {
  readonly sink: Writable;
  /** Where its client is, as clientOf() gives it. */
  readonly host: string | undefined;
  /** Written first. */
  readonly head: string;
  /** Number of the last event that the client has. */
  readonly number: number;
}

interface Stream {
  readonly sink: Writable;
  readonly host: string | undefined;
  /** Number of the last event written. */
  sent: number;
  /** Its client has to read before more is written. */
  isFull: boolean;
  /** It was full at the last heartbeat, and has been since. */
  isLate: boolean;
}

/**
 * The open event streams. Each is only a place in the ring, from which it is written as fast as its client reads, so that a
 * slow reader costs no memory and holds up nobody. It is dropped when the ring no longer has what comes next, or when it
 * has read nothing from one heartbeat to the next.
 */
export class EventStreams {
  readonly #open = new Set<Stream>();
  #heartbeat: Timer | undefined;
  #isFlushDue = false;
  /** Number of the last event at the last flush. */
  #flushed = 0;

  constructor(
    private readonly ring: EventRing,
    private readonly clock: Clock,
    private readonly meter: StreamMeter,
  ) {}

  get size(): number {
    return this.#open.size;
  }

  /** The hosts of the open streams, other than this machine; one that has several is there as often. */
  get hosts(): string[] {
    return [...this.#open].flatMap(({ host }) => host ?? []);
  }

  /** Opens a stream: first its head, then all events after the last one that the client has, as long as the client reads. */
  open({ sink, host, head, number }: StreamStart): void {
    const stream: Stream = { sink, host, sent: number, isFull: false, isLate: false };
    this.#open.add(stream);
    this.#heartbeat ??= every(this.clock, HEARTBEAT_MS, () => this.#beat());
    sink.on('drain', () => {
      stream.isFull = stream.isLate = false;
      this.#write(stream);
    });
    sink.once('close', () => this.#forget(stream));
    sink.on('error', () => this.#forget(stream));
    this.#put(stream, head);
    if (!stream.isFull) this.#write(stream);
  }

  /** The ring has a new event. Those that come in one turn of the event loop make one write to each stream. */
  notify(): void {
    if (this.#open.size === 0) return;
    if (this.ring.last - this.#flushed >= MAX_UNWRITTEN) this.#flush();
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    setImmediate(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  /** Ends all streams. */
  end(): void {
    for (const stream of this.#open) {
      if (stream.isFull) stream.sink.destroy();
      else stream.sink.end();
      this.#forget(stream);
    }
  }

  #flush(): void {
    this.#flushed = this.ring.last;
    for (const stream of this.#open) this.#write(stream);
  }

  #write(stream: Stream): void {
    if (stream.sent + 1 < this.ring.first) return this.#drop(stream);
    while (!stream.isFull && stream.sent < this.ring.last) {
      const { text, last } = this.ring.textAfter(stream.sent, WRITE_CHARS);
      this.meter.sent(last - stream.sent);
      stream.sent = last;
      this.#put(stream, text);
    }
  }

  #put(stream: Stream, text: string): void {
    stream.isFull = !stream.sink.write(text);
  }

  #beat(): void {
    for (const stream of this.#open) {
      if (stream.isLate) this.#drop(stream);
      else if (stream.isFull) stream.isLate = true;
      else this.#put(stream, HEARTBEAT);
    }
  }

  #drop(stream: Stream): void {
    this.meter.dropped();
    this.#forget(stream);
    stream.sink.destroy();
  }

  #forget(stream: Stream): void {
    this.#open.delete(stream);
    if (this.#open.size > 0) return;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
  }
}
