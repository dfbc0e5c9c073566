import type { Clock } from '../common/clock.js';
import { between, type Random } from '../common/random.js';
import { hostOf } from './address.js';
import { isNamed, retryLimitMs, type Entry, type KnownAddress } from './book-entry.js';
import type { HostRanges } from './host-ranges.js';
import type { KeyId } from './node-key.js';
import type { PeerIdentity } from './peer.js';
import type { PeerStore } from './peer.store.js';
import { SeenCache } from './seen-cache.js';
import { LIMITS } from './wire.js';

const MAX_ENTRIES = 1_000;
const MAX_OWN = 100;
const ANCHORS = 2;
/** Learnt addresses of one node that answered; as many again that it only claims. */
const MAX_PER_NODE = 4;
/** Learnt addresses on one untrusted host, in one untrusted range, and told by nodes in one: of 1,000 in all. */
const MAX_PER_HOST = 4;
const MAX_PER_RANGE = 64;
const MAX_PER_TELLER = 128;
/** A connected node's own claim is checked by a dial after this time, with jitter. */
const CHECK_CLAIM_MS = 10_000;
/** A node that had no slot for us may have one again after this. */
const FULL_MS = 60_000;
const FIRST_RETRY_MS = 250;
/** A learnt address is forgotten after this many dials in a row without an answer... */
const MAX_FAILURES = 10;
/** ...but if it ever answered, only after this long a silence: the halves of a split network must find each other again. */
const MAX_SILENCE_MS = 7 * 24 * 60 * 60 * 1000;

export interface PeerBookInit {
  readonly store: PeerStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly ranges: HostRanges;
  /** "host:port" each. */
  readonly bootstrap: readonly string[];
}

/**
 * The addresses that a node may dial, and when. It tries bootstrap addresses for ever and learnt ones until ten dials in
 * a row have failed, both with exponential back-off and jitter, so that nodes cut off together do not return in step.
 * Addresses that answered are kept on disk, so that a restarted node finds the network without its bootstrap nodes.
 */
export class PeerBook {
  private readonly store: PeerStore;
  private readonly clock: Clock;
  private readonly random: Random;
  private readonly ranges: HostRanges;
  readonly #entries = new Map<string, Entry>();
  readonly #own = new SeenCache(MAX_OWN);
  /** Addresses of nodes that stayed connected until the last end of the process: dialled first, once. */
  readonly #anchors: Set<string>;
  #savedAnchors: readonly string[];

  constructor({ store, clock, random, ranges, bootstrap }: PeerBookInit) {
    this.store = store;
    this.clock = clock;
    this.random = random;
    this.ranges = ranges;
    for (const { address, key, nodeId, lastSeenMs } of store.loadAddresses()) {
      const entry = this.#add(address, 'learnt');
      Object.assign(entry, { key: key ?? undefined, nodeId: nodeId ?? undefined });
      if (lastSeenMs !== null) Object.assign(entry, this.#momentOf(lastSeenMs));
    }
    for (const address of bootstrap) {
      const entry = this.#entries.get(address);
      if (entry === undefined) this.#add(address, 'bootstrap');
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

  /** Keys that answered last where the node with this name (a node id or a key) was found. */
  keysOf(name: string): readonly KeyId[] {
    return [...this.#entries.values()].flatMap((entry) => (isNamed(entry, name) ? (entry.key ?? []) : []));
  }

  /** Is it the address of a bootstrap node or of an anchor? Slots are kept for them. */
  isKept(address: string): boolean {
    const entry = this.#entries.get(address);
    return entry?.source === 'bootstrap' || entry?.isSeed === true || this.#savedAnchors.includes(address);
  }

  /** Did the node with this key answer last at such an address? */
  isKeptKey(key: KeyId): boolean {
    return this.#keptEntries().some((entry) => entry.key === key);
  }

  /** Bootstrap nodes and anchors without a session, which may have a slot for us. */
  countAbsentKept(isConnected: (key: KeyId) => boolean): number {
    const fullAfterMs = this.clock.monotonicMs() - FULL_MS;
    const nodes = this.#keptEntries().filter(
      ({ key, fullAtMs = -Infinity }) => fullAtMs < fullAfterMs && (key === undefined || !isConnected(key)),
    );
    return new Set(nodes.map(({ key, address }) => key ?? address)).size;
  }

  /**
   * Notes an address heard from a peer. False: already known, our own, or there is no room: neither in all nor for its
   * host, its range and its teller.
   * @param tellerHost where the peer's session comes from.
   */
  learn(address: string, tellerHost: string): boolean {
    if (!this.#isNew(address)) return false;
    const teller = this.ranges.ownerOf(tellerHost);
    if (!this.#hasRoom(hostOf(address), teller)) return false;
    this.#add(address, 'learnt').teller = teller;
    return true;
  }

  /** Notes an address found behind a bootstrap name; such addresses have no caps of their own. False: as `learn`. */
  learnSeed(address: string): boolean {
    const known = this.#entries.get(address);
    if (known !== undefined) known.isSeed = true;
    if (!this.#isNew(address) || !this.#hasRoom(undefined, undefined)) return false;
    this.#add(address, 'learnt').isSeed = true;
    return true;
  }

  /**
   * A connected node says that it can be dialled there. Only a dial proves it; until then the address is dialled after
   * all others, and whether it may be learnt at all is decided as for any address that this node tells.
   */
  claimed(address: string, key: KeyId, tellerHost: string): void {
    const isNew = this.learn(address, tellerHost);
    const entry = this.#entries.get(address);
    if (entry?.source !== 'learnt' || entry.lastSeenMs !== undefined) return;
    entry.claimedBy = key;
    // Later claims must not put off the dial.
    if (isNew) entry.nextDialMs += CHECK_CLAIM_MS * between(this.random, 0.5, 1.5);
    this.#forgetFormer(key);
  }

  /**
   * Addresses that are due, one per known node: after a start the anchors first, then bootstrap addresses, then those
   * where somebody has answered before, then the one that has waited longest, and at last those that a connected node
   * claims. `isUnwanted` leaves addresses out.
   */
  due(isUnwanted: (entry: KnownAddress) => boolean): KnownAddress[] {
    const now = this.clock.monotonicMs();
    const chosenNodes = new Set<KeyId>();
    return [...this.#entries.values()]
      .filter((entry) => entry.nextDialMs <= now && !isUnwanted(entry))
      .sort((a, b) => this.#rank(a) - this.#rank(b) || a.nextDialMs - b.nextDialMs)
      .filter(({ key }) => {
        if (key === undefined) return true;
        const isFirst = !chosenNodes.has(key);
        chosenNodes.add(key);
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

  /** Notes that the node at this address has no slot for us. */
  noteFull(address: string): void {
    const entry = this.#entries.get(address);
    if (entry !== undefined) entry.fullAtMs = this.clock.monotonicMs();
  }

  /** A node answered at the address, which we dialled, and proved its key. */
  reached(address: string, { key, nodeId }: Pick<PeerIdentity, 'key' | 'nodeId'>): void {
    const entry = this.#entries.get(address) ?? this.#add(address, 'learnt');
    const lastSeenMs = this.clock.nowMs();
    Object.assign(entry, this.#momentOf(lastSeenMs), { key, nodeId, claimedBy: undefined, leadsElsewhere: false });
    this.store.saveAddress({ address, source: entry.source, nodeId, key, lastSeenMs });
    this.#forgetFormer(key);
  }

  /** A lasting session with this node is over: dial its addresses again soon, but not at once. */
  lost(key: KeyId): void {
    const now = this.clock.monotonicMs();
    for (const entry of this.#entries.values()) {
      if (entry.claimedBy === key) entry.claimedBy = undefined;
      if (entry.key !== key) continue;
      entry.failures = 0;
      entry.nextDialMs = now + FIRST_RETRY_MS * between(this.random, 0.2, 1);
      if (entry.lastSeenMs !== undefined) Object.assign(entry, this.#momentOf(this.clock.nowMs()));
    }
  }

  /**
   * Dial the addresses of the node with this name (a node id or a key), or of all nodes, at the next look, as if none had
   * ever failed.
   */
  resetBackoff(name?: string): void {
    for (const entry of this.#entries.values()) {
      if (name === undefined || isNamed(entry, name))
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
    const nobody = { key: undefined, nodeId: undefined, lastSeenMs: undefined, answeredAtMs: undefined };
    Object.assign(entry, nobody, { leadsElsewhere: true });
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
  #forgetFormer(key: KeyId): void {
    const learnt = [...this.#entries.values()]
      .filter(({ source, isSeed }) => source === 'learnt' && !isSeed)
      .toReversed();
    const reached = learnt.filter((entry) => entry.key === key);
    reached.sort((a, b) => b.answeredAtMs! - a.answeredAtMs!);
    const claimed = learnt.filter((entry) => entry.claimedBy === key);
    for (const { address } of [...reached.slice(MAX_PER_NODE), ...claimed.slice(MAX_PER_NODE)]) {
      if (!this.#savedAnchors.includes(address)) this.#forget(address);
    }
  }

  #keptEntries(): Entry[] {
    return [...this.#entries.values()].filter((entry) => !entry.leadsElsewhere && this.isKept(entry.address));
  }

  #isNew(address: string): boolean {
    return !this.#entries.has(address) && !this.#own.has(address) && address.length <= LIMITS.addressBytes;
  }

  /** Is there room for one more address? May forget one that is not worth its place. Undefined: not counted. */
  #hasRoom(host: string | undefined, teller: string | undefined): boolean {
    const isTrusted = host === undefined || this.ranges.isTrusted(host);
    const range = isTrusted ? undefined : this.ranges.rangeOf(host);
    const caps: readonly [boolean, number, (entry: Entry) => boolean][] = [
      [!isTrusted, MAX_PER_HOST, (entry) => entry.host === host],
      [range !== undefined, MAX_PER_RANGE, (entry) => this.ranges.rangeOf(entry.host) === range],
      [teller !== undefined, MAX_PER_TELLER, (entry) => entry.teller === teller && entry.lastSeenMs === undefined],
      [true, MAX_ENTRIES, () => true],
    ];
    return caps.every(([applies, max, counts]) => {
      if (!applies) return true;
      const alike = [...this.#entries.values()].filter(counts);
      return alike.length < max || this.#dropWorst(alike);
    });
  }

  /** Makes room: forgets the learnt address that failed most often, among those where nobody ever answered. */
  #dropWorst(entries: readonly Entry[]): boolean {
    let worst: Entry | undefined;
    for (const entry of entries) {
      if (entry.source !== 'learnt' || entry.isSeed || entry.lastSeenMs !== undefined || entry.failures === 0) continue;
      if (worst === undefined || entry.failures > worst.failures) worst = entry;
    }
    if (worst === undefined) return false;
    this.#forget(worst.address);
    return true;
  }

  #rank({ address, claimedBy, lastSeenMs }: Entry): number {
    if (this.#anchors.has(address)) return 0;
    if (this.isKept(address)) return 1;
    if (lastSeenMs !== undefined) return 2;
    return claimedBy === undefined ? 3 : 4;
  }

  #forget(address: string): void {
    if (this.#entries.delete(address)) this.store.deleteAddress(address);
  }

  /** A moment of wall time; one in the future was noted by a clock that has been set back since. */
  #momentOf(lastSeenMs: number): Pick<Entry, 'lastSeenMs' | 'answeredAtMs'> {
    const silentMs = Math.max(0, this.clock.nowMs() - lastSeenMs);
    return { lastSeenMs, answeredAtMs: this.clock.monotonicMs() - silentMs };
  }

  #add(address: string, source: Entry['source']): Entry {
    const entry: Entry = {
      address,
      host: hostOf(address),
      source,
      isSeed: false,
      key: undefined,
      nodeId: undefined,
      claimedBy: undefined,
      teller: undefined,
      lastSeenMs: undefined,
      answeredAtMs: undefined,
      failures: 0,
      nextDialMs: this.clock.monotonicMs(),
      leadsElsewhere: false,
    };
    this.#entries.set(address, entry);
    return entry;
  }
}
