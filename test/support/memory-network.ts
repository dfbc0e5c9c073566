import type { VirtualClock } from './virtual-clock.js';
import type { Channel, ChannelEvents, Dialer } from '../../src/peers/channel.js';
import type { SeededRandom } from './seeded-random.js';

/** How a link behaves. Rates are 0..1 per message. */
export interface LinkConditions {
  readonly latencyMs: readonly [low: number, high: number];
  readonly lossRate: number;
  readonly duplicationRate: number;
  /** Whether a message may overtake an earlier one. */
  readonly isReordering: boolean;
}

const GOOD_LINK: LinkConditions = { latencyMs: [1, 5], lossRate: 0, duplicationRate: 0, isReordering: false };

type Accept = (channel: Channel) => void;

/** A network in memory: hosts that dial each other over links whose conditions a test sets. */
export class MemoryNetwork {
  readonly #listeners = new Map<string, Accept>();
  readonly #pipes = new Set<Pipe>();
  conditions: LinkConditions = GOOD_LINK;
  /** May these two hosts talk at present? */
  #isLinked: (a: string, b: string) => boolean = () => true;

  constructor(
    readonly clock: VirtualClock,
    readonly random: SeededRandom,
  ) {}

  /** Channels dialled to "host:port" come to `accept`; returns how to stop that. */
  listen(address: string, accept: Accept): () => void {
    this.#listeners.set(address, accept);
    return () => this.#listeners.delete(address);
  }

  dialerOf(host: string): Dialer {
    return { dial: (address) => this.#dial(host, address) };
  }

  /** Cuts the network into groups of hosts; a host in none of them stands alone. */
  partition(...groups: readonly (readonly string[])[]): void {
    const groupOf = new Map(groups.flatMap((group, index) => group.map((host) => [host, index] as const)));
    this.#isLinked = (a, b) => a === b || (groupOf.has(a) && groupOf.get(a) === groupOf.get(b));
    for (const pipe of [...this.#pipes]) if (!this.isLinked(pipe.from, pipe.to)) pipe.break('link cut');
  }

  heal(): void {
    this.#isLinked = () => true;
  }

  isLinked(a: string, b: string): boolean {
    return this.#isLinked(a, b);
  }

  /** Ends all channels of a host without a word, as a crash does. */
  drop(host: string): void {
    for (const pipe of [...this.#pipes]) if (pipe.from === host || pipe.to === host) pipe.break('host is gone');
  }

  forget(pipe: Pipe): void {
    this.#pipes.delete(pipe);
  }

  #dial(from: string, address: string): Channel {
    const to = address.slice(0, address.lastIndexOf(':'));
    const pipe = new Pipe(this, from, to);
    this.#pipes.add(pipe);
    this.clock.after(this.random.next() * 5, () => {
      const accept = this.#listeners.get(address);
      if (accept === undefined || !this.isLinked(from, to)) pipe.break('connection refused');
      else accept(pipe.acceptingEnd);
    });
    return pipe.diallingEnd;
  }
}

/** Two ends of one connection. */
class Pipe {
  readonly diallingEnd: End;
  readonly acceptingEnd: End;
  #isBroken = false;

  constructor(
    readonly network: MemoryNetwork,
    readonly from: string,
    readonly to: string,
  ) {
    this.diallingEnd = new End(this, to);
    this.acceptingEnd = new End(this, from);
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  otherEnd(end: End): End {
    return end === this.diallingEnd ? this.acceptingEnd : this.diallingEnd;
  }

  /** Both ends learn that the connection is gone; nothing more is delivered. */
  break(reason: string): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.network.forget(this);
    for (const end of [this.diallingEnd, this.acceptingEnd]) end.ended(reason);
  }
}

class End implements Channel {
  #events: ChannelEvents | undefined;
  #endedBecause: string | undefined;
  readonly #early: Uint8Array[] = [];
  #lastDeliveryMs = 0;

  constructor(
    private readonly pipe: Pipe,
    readonly remoteHost: string,
  ) {}

  open(events: ChannelEvents): void {
    this.#events = events;
    for (const bytes of this.#early.splice(0)) events.message(bytes);
    if (this.#endedBecause !== undefined) this.#tellEnd();
  }

  send(bytes: Uint8Array): boolean {
    const { network } = this.pipe;
    const { lossRate, duplicationRate } = network.conditions;
    if (network.random.next() < lossRate) return true;
    this.#post(bytes);
    if (network.random.next() < duplicationRate) this.#post(bytes);
    return true;
  }

  close(): void {
    // What was sent before still arrives: the end comes after the last delivery.
    const { network } = this.pipe;
    const waitMs = Math.max(0, this.#lastDeliveryMs - network.clock.nowMs()) + 1;
    network.clock.after(waitMs, () => this.pipe.break('closed by the peer'));
  }

  ended(reason: string): void {
    this.#endedBecause = reason;
    if (this.#events !== undefined) this.#tellEnd();
  }

  #post(bytes: Uint8Array): void {
    const { network } = this.pipe;
    const { latencyMs, isReordering } = network.conditions;
    const dueMs = network.clock.nowMs() + latencyMs[0] + network.random.next() * (latencyMs[1] - latencyMs[0]);
    const atMs = isReordering ? dueMs : Math.max(dueMs, this.#lastDeliveryMs);
    this.#lastDeliveryMs = Math.max(this.#lastDeliveryMs, atMs);
    network.clock.after(atMs - network.clock.nowMs(), () => this.pipe.otherEnd(this).#deliver(bytes));
  }

  #deliver(bytes: Uint8Array): void {
    if (this.pipe.isBroken) return;
    if (this.#events === undefined) this.#early.push(bytes);
    else this.#events.message(bytes);
  }

  #tellEnd(): void {
    const events = this.#events!;
    const reason = this.#endedBecause!;
    this.pipe.network.clock.after(0, () => events.closed(reason));
  }
}
