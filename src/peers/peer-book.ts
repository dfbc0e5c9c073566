import type { Clock } from '../common/clock.js';
import { between, type Random } from '../common/random.js';
import { LIMITS } from './wire.js';
import type { PeerStore } from './peer.store.js';
import { SeenCache } from './seen-cache.js';

const MAX_ENTRIES = 1_000;
const MAX_OWN = 100;
const ANCHORS = 2;
/** Learnt addresses of one node that answered; as many again that it only claims. */
const MAX_PER_NODE = 4;
const FIRST_RETRY_MS = 250;
const BOOTSTRAP_RETRY_LIMIT_MS = 10_000;
/** Learnt addresses where a node has answered before, and where none ever has. */
const REACHED_RETRY_LIMIT_MS = 60_000;
const UNREACHED_RETRY_LIMIT_MS = 300_000;
/** A learnt address is forgotten after this many dials in a row without an answer... */
const MAX_FAILURES = 10;
/** ...but if it ever answered, only after this long a silence: the halves of a split network must find each other again. */
const MAX_SILENCE_MS = 7 * 24 * 60 * 60 * 1000;

interface Entry {
  readonly address: string;
  source: 'bootstrap' | 'learnt';
  /** The node that answered there last. */
  nodeId: string | undefined;
  /** Wall time, for people and for the next start. */
  lastSeenMs: number | undefined;
  /** The same moment in monotonic time; negative if that was long before this process began. */
  answeredAtMs: number | undefined;
  failures: number;
  /** Monotonic. */
  nextDialMs: number;
  /** A name that leads to several nodes, or to ourselves: at present the address of no single other node. */
  leadsElsewhere: boolean;
}

/** What is known of an address, for GET /peers and for other nodes. */
export type KnownAddress = Readonly<Pick<Entry, 'address' | 'source' | 'nodeId' | 'lastSeenMs' | 'answeredAtMs'>>;

/**
 * The addresses that a node may dial, and when. It tries bootstrap addresses for ever and learnt ones until ten dials in
 * a row have failed, both with exponential back-off and jitter, so that nodes cut off together do not return in step.
 * Addresses that answered are kept on disk, so that a restarted node finds the network without its bootstrap nodes.
 */
export class PeerBook {
  readonly #entries = new Map<string, Entry>();
  readonly #own = new SeenCache(MAX_OWN);
  /** Addresses of nodes that stayed connected until the last end of the process: dialled first, once. */
  readonly #anchors: Set<string>;
  #savedAnchors: readonly string[];

  constructor(
    private readonly store: PeerStore,
    private readonly clock: Clock,
    private readonly random: Random,
    bootstrap: readonly string[],
  ) {
    for (const row of store.loadAddresses()) {
      this.#add(row.address, 'learnt', row.nodeId ?? undefined, row.lastSeenMs ?? undefined);
    }
    for (const address of bootstrap) {
      const entry = this.#entries.get(address);
      if (entry === undefined) this.#add(address, 'bootstrap', undefined, undefined);
      else entry.source = 'bootstrap';
    }
    this.#savedAnchors = store.loadAnchors();
    this.#anchors = new Set(this.#savedAnchors.filter((address) => this.#entries.has(address)));
  }

  get known(): readonly KnownAddress[] {
    return [...this.#entries.values()].filter(({ leadsElsewhere }) => !leadsElsewhere);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Notes an address heard from a peer. False: already known, our own, or there is no room. */
  learn(address: string): boolean {
    if (this.#entries.has(address) || this.#own.has(address) || address.length > LIMITS.addressBytes) return false;
    if (this.#entries.size >= MAX_ENTRIES && !this.#dropWorst()) return false;
    this.#add(address, 'learnt', undefined, undefined);
    return true;
  }

  /**
   * A connected node says that it can be dialled there. Only a dial proves it; until somebody has answered there, the
   * address is not dialled while that node is connected.
   */
  claimed(address: string, nodeId: string): void {
    this.learn(address);
    const entry = this.#entries.get(address);
    if (entry?.source !== 'learnt' || entry.lastSeenMs !== undefined) return;
    entry.nodeId = nodeId;
    this.#forgetFormer(nodeId);
  }

  /**
   * Addresses that are due, one per known node: after a start the anchors first, then bootstrap addresses, then those
   * where somebody has answered before, then the one that has waited longest. `isUnwanted` leaves addresses out.
   */
  due(isUnwanted: (address: string, nodeId: string | undefined) => boolean): KnownAddress[] {
    const now = this.clock.monotonicMs();
    const chosenNodes = new Set<string>();
    return [...this.#entries.values()]
      .filter(({ address, nodeId, nextDialMs }) => nextDialMs <= now && !isUnwanted(address, nodeId))
      .sort((a, b) => this.#rank(a) - this.#rank(b) || a.nextDialMs - b.nextDialMs)
      .filter(({ nodeId }) => {
        if (nodeId === undefined) return true;
        const isFirst = !chosenNodes.has(nodeId);
        chosenNodes.add(nodeId);
        return isFirst;
      });
  }

  /** A dial has begun; the next one to this address is due after its back-off. */
  dialling(address: string): void {
    const entry = this.#entries.get(address);
    this.#anchors.delete(address);
    if (entry === undefined) return;
    const now = this.clock.monotonicMs();
    const backoffMs = Math.min(retryLimitMs(entry), FIRST_RETRY_MS * 2 ** entry.failures);
    entry.nextDialMs = now + backoffMs * between(this.random, 0.5, 1.5);
    entry.failures += 1;
    const isSilent = now - (entry.answeredAtMs ?? -Infinity) > MAX_SILENCE_MS;
    if (entry.source === 'learnt' && entry.failures > MAX_FAILURES && isSilent) this.#forget(address);
  }

  /** The node with this id answered at the address, which we dialled. */
  reached(address: string, nodeId: string): void {
    const entry = this.#entries.get(address) ?? this.#add(address, 'learnt', nodeId, undefined);
    entry.nodeId = nodeId;
    Object.assign(entry, this.#moment());
    entry.leadsElsewhere = false;
    this.store.saveAddress({ address, source: entry.source, nodeId, lastSeenMs: entry.lastSeenMs ?? null });
    this.#forgetFormer(nodeId);
  }

  /** A lasting session with this node is over: dial its addresses again soon, but not at once. */
  lost(nodeId: string): void {
    const now = this.clock.monotonicMs();
    for (const entry of this.#entries.values()) {
      if (entry.nodeId !== nodeId) continue;
      entry.failures = 0;
      entry.nextDialMs = now + FIRST_RETRY_MS * between(this.random, 0.2, 1);
      if (entry.lastSeenMs !== undefined) Object.assign(entry, this.#moment());
    }
  }

  /** Dial the addresses of this node, or of all nodes, at the next look, as if none had ever failed. */
  resetBackoff(nodeId?: string): void {
    for (const entry of this.#entries.values()) {
      if (nodeId === undefined || entry.nodeId === nodeId)
        Object.assign(entry, { failures: 0, nextDialMs: this.clock.monotonicMs() });
    }
  }

  /**
   * Notes which nodes we dialled, the one that has stayed longest first. The first two are kept for the next start: as
   * long as one of them is honest, an attacker who fills our address book cannot isolate us by a restart. If there are
   * fewer than two, earlier ones keep their place.
   */
  holdAnchors(dialled: readonly string[]): void {
    const anchors = [...new Set([...dialled, ...this.#savedAnchors])].slice(0, ANCHORS);
    if (anchors.join() === this.#savedAnchors.join()) return;
    this.#savedAnchors = anchors;
    this.store.saveAnchors(anchors);
  }

  /** The bootstrap address is a name that stands for several nodes, or for ourselves. It is still looked up when due. */
  leadsElsewhere(address: string): void {
    const entry = this.#entries.get(address);
    if (entry === undefined || entry.leadsElsewhere) return;
    Object.assign(entry, { leadsElsewhere: true, nodeId: undefined, lastSeenMs: undefined, answeredAtMs: undefined });
    this.store.deleteAddress(address);
  }

  /** Notes that the address is our own, so that it is never dialled again. */
  noteOwn(address: string): void {
    this.#own.add(address);
    this.#forget(address);
  }

  /**
   * Keeps the latest few of a node's learnt addresses: a node that moves (a container gets another IP at each restart)
   * must not fill the book.
   */
  #forgetFormer(nodeId: string): void {
    const learnt = [...this.#entries.values()].filter((entry) => entry.source === 'learnt' && entry.nodeId === nodeId);
    const latestFirst = learnt.toReversed().sort((a, b) => (b.answeredAtMs ?? 0) - (a.answeredAtMs ?? 0));
    for (const isReached of [true, false]) {
      const alike = latestFirst.filter(({ lastSeenMs }) => (lastSeenMs !== undefined) === isReached);
      for (const { address } of alike.slice(MAX_PER_NODE)) {
        if (!this.#savedAnchors.includes(address)) this.#forget(address);
      }
    }
  }

  /** Makes room: forgets the learnt address that failed most often, among those where nobody ever answered. */
  #dropWorst(): boolean {
    let worst: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.source !== 'learnt' || entry.lastSeenMs !== undefined || entry.failures === 0) continue;
      if (worst === undefined || entry.failures > worst.failures) worst = entry;
    }
    if (worst === undefined) return false;
    this.#forget(worst.address);
    return true;
  }

  #rank({ address, source, lastSeenMs }: Entry): number {
    if (this.#anchors.has(address)) return 0;
    if (source === 'bootstrap') return 1;
    return lastSeenMs === undefined ? 3 : 2;
  }

  #forget(address: string): void {
    if (this.#entries.delete(address)) this.store.deleteAddress(address);
  }

  #moment(): Pick<Entry, 'lastSeenMs' | 'answeredAtMs'> {
    return { lastSeenMs: this.clock.nowMs(), answeredAtMs: this.clock.monotonicMs() };
  }

  #add(address: string, source: Entry['source'], nodeId: string | undefined, lastSeenMs: number | undefined): Entry {
    const nextDialMs = this.clock.monotonicMs();
    // A moment in the future was noted by a clock that has been set back since.
    const silentMs = lastSeenMs === undefined ? undefined : Math.max(0, this.clock.nowMs() - lastSeenMs);
    const answeredAtMs = silentMs === undefined ? undefined : nextDialMs - silentMs;
    const state = { failures: 0, nextDialMs, leadsElsewhere: false };
    const entry = { address, source, nodeId, lastSeenMs, answeredAtMs, ...state };
    this.#entries.set(address, entry);
    return entry;
  }
}

function retryLimitMs({ source, lastSeenMs }: Entry): number {
  if (source === 'bootstrap') return BOOTSTRAP_RETRY_LIMIT_MS;
  return lastSeenMs === undefined ? UNREACHED_RETRY_LIMIT_MS : REACHED_RETRY_LIMIT_MS;
}
