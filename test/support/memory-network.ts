import type { Channel, ChannelEvents, Dialer } from '../../src/peers/channel.js';
import type { SeededRandom } from './seeded-random.js';
import type { VirtualClock } from './virtual-clock.js';

/**
 * How a link behaves. Rates are 0..1 per message. A stream neither loses nor repeats nor reorders; what does here stands
 * for crashes and faults of the software in between, so a stream's first two messages, Hello and Proof, are spared.
 */
export interface LinkConditions {
  readonly latencyMs: readonly [low: number, high: number];
  readonly lossRate: number;
  readonly duplicationRate: number;
  /** Whether a message may overtake an earlier one. */
  readonly isReordering: boolean;
}

export const GOOD_LINK: LinkConditions = { latencyMs: [1, 5], lossRate: 0, duplicationRate: 0, isReordering: false };

/** Hello and Proof. */
const SPARED_MESSAGES = 2;

type Accept = (channel: Channel) => void;

/** A network in memory: hosts that dial each other over links whose conditions a test sets. */
export class MemoryNetwork {
  /** Of all links that have none of their own. */
  conditions: LinkConditions = GOOD_LINK;
  /** Hosts behind a name, as DNS has it; while there are none at all, the network has no DNS, and hosts go by their names. */
  readonly names = new Map<string, readonly string[]>();
  /** Answers in place of the names, as slowly as it likes. */
  resolver: ((name: string) => Promise<readonly string[]>) | undefined;
  readonly #listeners = new Map<string, Accept>();
  readonly #pipes = new Set<Pipe>();
  readonly #links = new Map<string, LinkConditions>();
  /** May these two hosts talk at present? */
  #isLinked: (a: string, b: string) => boolean = () => true;
  #isSilent = false;

  constructor(
    readonly clock: VirtualClock,
    readonly random: SeededRandom,
  ) {}

  /** Cut links give no sign of it: what is sent waits for the heal, as TCP does, unless the session ends before. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Channels dialled to "host:port" come to `accept`; returns how to stop that. */
  listen(address: string, accept: Accept): () => void {
    this.#listeners.set(address, accept);
    return () => this.#listeners.delete(address);
  }

  dialerOf(host: string): Dialer {
    const dial: Dialer['dial'] = (address) => this.#dial(host, address);
    const resolve = this.resolver ?? (this.names.size === 0 ? undefined : (name: string) => this.#resolve(name));
    return resolve === undefined ? { dial } : { dial, resolve };
  }

  /** Conditions of the link between two hosts, both ways. */
  setLink(a: string, b: string, conditions: LinkConditions): void {
    for (const name of [`${a} ${b}`, `${b} ${a}`]) this.#links.set(name, conditions);
  }

  /** Links that were set one by one are like all others again. */
  resetLinks(): void {
    this.#links.clear();
  }

  conditionsOf(a: string, b: string): LinkConditions {
    return this.#links.get(`${a} ${b}`) ?? this.conditions;
  }

  /** Cuts the network into groups of hosts; a host in none of them stands alone. Channels across break at once. */
  partition(...groups: readonly (readonly string[])[]): void {
    this.#cut(groups);
    this.#isSilent = false;
    for (const pipe of [...this.#pipes]) if (!this.isLinked(pipe.from, pipe.to)) pipe.break('link cut');
  }

  /** As partition, but nobody is told: a cable pulled out, a firewall that drops. */
  partitionSilently(...groups: readonly (readonly string[])[]): void {
    this.#cut(groups);
    this.#isSilent = true;
  }

  heal(): void {
    this.#isLinked = () => true;
    for (const pipe of [...this.#pipes]) pipe.release();
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

  #cut(groups: readonly (readonly string[])[]): void {
    const groupOf = new Map(groups.flatMap((group, index) => group.map((host) => [host, index] as const)));
    this.#isLinked = (a, b) => a === b || (groupOf.has(a) && groupOf.get(a) === groupOf.get(b));
  }

  async #resolve(name: string): Promise<readonly string[]> {
    const hosts = this.names.get(name) ?? [];
    if (hosts.length === 0) throw Object.assign(new Error(`no host is called ${name}`), { code: 'ENOTFOUND' });
    return hosts;
  }

  /** A name leads to the first of its hosts. */
  #dial(from: string, address: string): Channel {
    const split = address.lastIndexOf(':');
    const to = this.names.get(address.slice(0, split))?.[0] ?? address.slice(0, split);
    const pipe = new Pipe(this, from, to);
    this.#pipes.add(pipe);
    pipe.after(this.random.next() * 5, () => {
      const accept = this.#listeners.get(to + address.slice(split));
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
  /** What is to happen when the link is there again. */
  readonly #held: (() => void)[] = [];
  #isBroken = false;

  constructor(
    readonly network: MemoryNetwork,
    readonly from: string,
    readonly to: string,
  ) {
    this.diallingEnd = new End(this, to);
    this.acceptingEnd = new End(this, from);
  }

  otherEnd(end: End): End {
    return end === this.diallingEnd ? this.acceptingEnd : this.diallingEnd;
  }

  /** Lets something travel: it arrives after the delay unless the connection is broken by then. */
  after(delayMs: number, arrive: () => void): void {
    const { network } = this;
    network.clock.after(delayMs, () => {
      if (this.#isBroken) return;
      if (network.isSilent && !network.isLinked(this.from, this.to)) this.#held.push(arrive);
      else arrive();
    });
  }

  release(): void {
    for (const arrive of this.#held.splice(0)) this.after(1, arrive);
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
  /** Has come, and waits for a reader. */
  readonly #early: Uint8Array[] = [];
  #isPaused = false;
  #sent = 0;
  /** When the last of the spared messages arrives. */
  #sparedUntilMs = 0;
  #lastDeliveryMs = 0;

  constructor(
    private readonly pipe: Pipe,
    readonly remoteHost: string,
  ) {}

  open(events: ChannelEvents): void {
    this.#events = events;
    this.#deliverEarly();
    if (this.#endedBecause !== undefined) this.#tellEnd();
  }

  send(bytes: Uint8Array): boolean {
    const { network, from, to } = this.pipe;
    const { lossRate, duplicationRate } = network.conditionsOf(from, to);
    const isSpared = ++this.#sent <= SPARED_MESSAGES;
    if (!isSpared && network.random.next() < lossRate) return true;
    this.#post(bytes);
    if (isSpared) this.#sparedUntilMs = this.#lastDeliveryMs;
    if (!isSpared && network.random.next() < duplicationRate) this.#post(bytes);
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliverEarly();
  }

  close(): void {
    // What was sent before still arrives: the end comes after the last delivery. Our own side knows at once.
    const waitMs = Math.max(0, this.#lastDeliveryMs - this.pipe.network.clock.monotonicMs()) + 1;
    this.pipe.after(waitMs, () => this.pipe.break('closed by the peer'));
  }

  ended(reason: string): void {
    this.#endedBecause = reason;
    if (this.#events !== undefined) this.#tellEnd();
  }

  #post(bytes: Uint8Array): void {
    const { network, from, to } = this.pipe;
    const { latencyMs, isReordering } = network.conditionsOf(from, to);
    const nowMs = network.clock.monotonicMs();
    const dueMs = nowMs + latencyMs[0] + network.random.next() * (latencyMs[1] - latencyMs[0]);
    const atMs = Math.ceil(Math.max(dueMs, isReordering ? this.#sparedUntilMs : this.#lastDeliveryMs));
    this.#lastDeliveryMs = Math.max(this.#lastDeliveryMs, atMs);
    this.pipe.after(atMs - nowMs, () => this.pipe.otherEnd(this).#deliver(bytes));
  }

  #deliver(bytes: Uint8Array): void {
    this.#early.push(bytes);
    this.#deliverEarly();
  }

  #deliverEarly(): void {
    while (this.#events !== undefined && !this.#isPaused && this.#early.length > 0) {
      this.#events.message(this.#early.shift()!);
    }
  }

  #tellEnd(): void {
    const events = this.#events!;
    const reason = this.#endedBecause!;
    this.pipe.network.clock.after(0, () => events.closed(reason));
  }
}
