import { every, type Clock, type Timer } from '../common/clock.js';
import type { Random } from '../common/random.js';
import { hostOf } from './address.js';
import type { Channel, Dialer } from './channel.js';
import type { HostRanges } from './host-ranges.js';
import type { LinkRefusals } from './link-refusals.js';
import type { KnownAddress } from './book-entry.js';
import type { PeerBook } from './peer-book.js';
import type { PeerTable } from './peer-table.js';
import type { Scoring } from './scoring.js';
import type { Seeds } from './seeds.js';
import type { SlotPolicy } from './slot-policy.js';

const DIAL_CHECK_MS = 250;
/** Simultaneous dials: a book full of dead addresses must not become a storm of connection attempts. */
const MAX_DIALLING = 8;
/** As many more for bootstrap nodes and anchors, which need not wait for addresses that do not answer. */
const MAX_DIALLING_KEPT = 4;
/** Simultaneous lookups: libuv runs no more at once, and where no DNS server answers each takes 10 s or longer. */
const MAX_LOOKUPS = 2;
/**
 * While all outbound slots are taken, another address takes its turn this often. It is also how long nodes with few slots
 * stay among themselves, where each has filled its slots with the others. Bitcoin Core: 5 min.
 */
const ROTATE_MS = 2 * 60_000;

export interface DiallingInit {
  readonly book: PeerBook;
  readonly seeds: Seeds;
  readonly dialer: Dialer;
  readonly scoring: Scoring;
  readonly refusals: LinkRefusals;
  readonly peers: PeerTable;
  readonly slots: SlotPolicy;
  readonly ranges: HostRanges;
  readonly clock: Clock;
  readonly random: Random;
  /** Takes over the channel to an address that was dialled; `ended` must follow. */
  readonly open: (channel: Channel, address: string) => void;
}

/** Dials the addresses that are due, as long as there are outbound slots. */
export class Dialling {
  /** Addresses that are being dialled, until the session is open or over. */
  readonly #addresses = new Set<string>();
  /** Names that are being looked up, and dialled afterwards. */
  readonly #lookedUp = new Set<string>();
  readonly #given: DiallingInit;
  #timers: readonly Timer[] = [];
  /** The address whose node is to take the slot of the youngest outbound peer. */
  #rotating: string | undefined;
  #stopped = false;

  constructor(given: DiallingInit) {
    this.#given = given;
  }

  start(): void {
    const { clock } = this.#given;
    this.dialDue();
    this.#timers = [every(clock, DIAL_CHECK_MS, () => this.dialDue()), every(clock, ROTATE_MS, () => this.#rotate())];
  }

  stop(): void {
    this.#stopped = true;
    this.#given.seeds.stop();
    for (const timer of this.#timers) timer.cancel();
  }

  /** The dial of this address has become a peer, or has failed. */
  ended(address: string): void {
    this.#addresses.delete(address);
    if (this.#rotating === address) this.#rotating = undefined;
  }

  isRotation(address: string): boolean {
    return this.#rotating === address;
  }

  dialDue(): void {
    if (this.#stopped) return;
    const { book, seeds, scoring } = this.#given;
    const [limit, keptLimit] = [this.#dialLimit(false), this.#dialLimit(true)];
    for (const { address, key } of book.due((entry) => this.#isUnwanted(entry))) {
      if (this.#addresses.size >= (book.isKept(address) ? keptLimit : limit)) return;
      if (scoring.isBanned(key, hostOf(address)) || this.#isRangeFull(address)) continue;
      if (!seeds.has(address)) {
        book.dialling(address);
        this.#dial(address);
      } else if (this.#lookedUp.size < MAX_LOOKUPS) void this.#dialSeed(address);
    }
  }

  #dialLimit(isKept: boolean): number {
    const most = isKept ? MAX_DIALLING + MAX_DIALLING_KEPT : MAX_DIALLING;
    // Another peer makes room for a bootstrap node or an anchor that answers, so one of them is dialled in any case.
    return Math.min(most, Math.max(this.#given.slots.freeSlots('outbound', isKept), isKept ? 1 : 0));
  }

  #isUnwanted({ address, key, nodeId }: KnownAddress): boolean {
    const { peers, refusals } = this.#given;
    if (this.#addresses.has(address) || this.#lookedUp.has(address)) return true;
    return (key !== undefined && peers.has(key)) || refusals.has(nodeId, key);
  }

  #isRangeFull(address: string): boolean {
    const { book, slots } = this.#given;
    return !book.isKept(address) && slots.isOutboundFull(hostOf(address), [...this.#addresses].map(hostOf));
  }

  /**
   * Whoever holds all outbound slots must not hold them for ever: from time to time a learnt address in a range without
   * a session is tried, and the outbound peer that came last makes room if somebody answers.
   */
  #rotate(): void {
    const { book, random, ranges, scoring, slots } = this.#given;
    if (this.#rotating !== undefined || slots.freeSlots('outbound', false) > 0) return;
    const present = slots.outboundOwners();
    const candidates = book.due((entry) => {
      const host = hostOf(entry.address);
      if (book.isKept(entry.address) || this.#isUnwanted(entry) || scoring.isBanned(entry.key, host)) return true;
      const owner = ranges.ownerOf(host);
      return owner !== undefined && present.has(owner);
    });
    const chosen = candidates[Math.floor(random.next() * candidates.length)];
    if (chosen === undefined) return;
    this.#rotating = chosen.address;
    book.dialling(chosen.address);
    this.#dial(chosen.address);
  }

  #dial(address: string): void {
    this.#addresses.add(address);
    this.#given.open(this.#given.dialer.dial(address), address);
  }

  /** A lookup takes no slot: names that no DNS knows must not keep us from addresses that answer. */
  async #dialSeed(address: string): Promise<void> {
    const { book, seeds } = this.#given;
    this.#lookedUp.add(address);
    book.dialling(address);
    const isToBeDialled = await seeds.lookUp(address);
    this.#lookedUp.delete(address);
    if (isToBeDialled && !this.#stopped) this.#dial(address);
  }
}
