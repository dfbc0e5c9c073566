import type { Clock, Timer } from '../common/clock.js';
import type { Channel, ChannelEvents } from './channel.js';

/** As much may be on its way in each direction; more makes the sender wait. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;

interface Held {
  readonly bytes: Uint8Array;
  readonly dueMs: number;
}

/** Messages of one direction, each handed on when its time has come, in the order in which they came. */
class Line {
  readonly #held: Held[] = [];
  #timer: Timer | undefined;
  #bytes = 0;
  #isPaused = false;

  constructor(
    private readonly clock: Clock,
    private readonly handOn: (bytes: Uint8Array) => void,
  ) {}

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: Uint8Array, delayMs: number): void {
    const dueMs = Math.max(this.clock.monotonicMs() + delayMs, this.#held.at(-1)?.dueMs ?? 0);
    this.#held.push({ bytes, dueMs });
    this.#bytes += bytes.length;
    this.#wait();
  }

  pause(): void {
    this.#isPaused = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  resume(): void {
    this.#isPaused = false;
    this.#wait();
  }

  /** Hands on everything. */
  flush(): void {
    while (!this.isEmpty) this.#next();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  clear(): void {
    this.#held.length = 0;
    this.#bytes = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #next(): void {
    const { bytes } = this.#held.shift()!;
    this.#bytes -= bytes.length;
    this.handOn(bytes);
  }

  #wait(): void {
    if (this.#timer !== undefined || this.#isPaused || this.isEmpty) return;
    this.#timer = this.clock.after(Math.max(0, this.#held[0]!.dueMs - this.clock.monotonicMs()), () => {
      this.#timer = undefined;
      const nowMs = this.clock.monotonicMs();
      while (!this.#isPaused && !this.isEmpty && this.#held[0]!.dueMs <= nowMs) this.#next();
      this.#wait();
    });
  }
}

/**
 * A channel whose messages can be made late on purpose, in both directions, in order. Without a delay it is the channel
 * below it and nothing more.
 */
export class DelayedChannel implements Channel {
  /** Milliseconds by which the next message is late; drawn anew for each. */
  delayMs: () => number = () => 0;
  readonly #sending: Line;
  readonly #receiving: Line;
  #events: ChannelEvents | undefined;
  /** Was the sender told to wait by us, not by the channel below? */
  #isFull = false;
  #isBlocked = false;
  #isPaused = false;
  /** Has so much come in that the other side has to wait? */
  #isOverfull = false;

  constructor(
    private readonly inner: Channel,
    clock: Clock,
  ) {
    this.#sending = new Line(clock, (bytes) => this.#sendNow(bytes));
    this.#receiving = new Line(clock, (bytes) => this.#deliver(bytes));
  }

  get remoteHost(): string {
    return this.inner.remoteHost;
  }

  get provenNodeId(): string | undefined {
    return this.inner.provenNodeId;
  }

  open(events: ChannelEvents): void {
    this.#events = events;
    this.inner.open({
      message: (bytes) => this.#received(bytes),
      drained: () => {
        this.#isBlocked = false;
        if (!this.#isFull) events.drained();
      },
      closed: (reason) => {
        this.#sending.clear();
        this.#receiving.flush();
        events.closed(reason);
      },
    });
  }

  send(bytes: Uint8Array): boolean {
    const delayMs = this.delayMs();
    if (delayMs === 0 && this.#sending.isEmpty) return this.inner.send(bytes);
    this.#sending.add(bytes, delayMs);
    this.#isFull ||= this.#sending.bytes > MAX_HELD_BYTES;
    return !this.#isFull;
  }

  pause(): void {
    this.#isPaused = true;
    this.#receiving.pause();
    this.inner.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#receiving.resume();
    if (!this.#isOverfull) this.inner.resume();
  }

  close(): void {
    this.#sending.flush();
    this.#receiving.clear();
    this.inner.close();
  }

  #sendNow(bytes: Uint8Array): void {
    this.#isBlocked = !this.inner.send(bytes);
    if (!this.#isFull || this.#sending.bytes > MAX_HELD_BYTES) return;
    this.#isFull = false;
    if (!this.#isBlocked) this.#events?.drained();
  }

  #received(bytes: Uint8Array): void {
    const delayMs = this.delayMs();
    if (delayMs === 0 && this.#receiving.isEmpty) return this.#events!.message(bytes);
    this.#receiving.add(bytes, delayMs);
    if (this.#isOverfull || this.#receiving.bytes <= MAX_HELD_BYTES) return;
    this.#isOverfull = true;
    this.inner.pause();
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#isOverfull && this.#receiving.bytes <= MAX_HELD_BYTES) {
      this.#isOverfull = false;
      if (!this.#isPaused) this.inner.resume();
    }
    this.#events?.message(bytes);
  }
}
