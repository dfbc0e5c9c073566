import { every, type Clock, type Timer } from '../common/clock.js';
import { hostOf } from './address.js';
import type { Channel, Dialer } from './channel.js';
import type { LinkRefusals } from './link-refusals.js';
import type { PeerBook } from './peer-book.js';
import type { PeerTable } from './peer-table.js';
import type { Scoring } from './scoring.js';
import type { Seeds } from './seeds.js';

const DIAL_CHECK_MS = 250;
/** Simultaneous dials: a book full of dead addresses must not become a storm of connection attempts. */
const MAX_DIALLING = 8;
/** Simultaneous lookups: libuv runs no more at once, and where no DNS server answers each takes 10 s or longer. */
const MAX_LOOKUPS = 2;

export interface DiallingInit {
  readonly book: PeerBook;
  readonly seeds: Seeds;
  readonly dialer: Dialer;
  readonly scoring: Scoring;
  readonly refusals: LinkRefusals;
  readonly peers: PeerTable;
  readonly clock: Clock;
  /** Takes over the channel to an address that was dialled; `ended` must follow. */
  readonly open: (channel: Channel, address: string) => void;
}

/** Dials the addresses that are due, as long as there are outbound slots. */
export class Dialling {
  /** Addresses that are being dialled, until the exchange of Hellos is over. */
  readonly #addresses = new Set<string>();
  /** Names that are being looked up, and dialled afterwards. */
  readonly #lookedUp = new Set<string>();
  readonly #given: DiallingInit;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(given: DiallingInit) {
    this.#given = given;
  }

  start(): void {
    this.dialDue();
    this.#timer = every(this.#given.clock, DIAL_CHECK_MS, () => this.dialDue());
  }

  stop(): void {
    this.#stopped = true;
    this.#given.seeds.stop();
    this.#timer?.cancel();
  }

  /** The dial of this address has become a peer, or has failed. */
  ended(address: string): void {
    this.#addresses.delete(address);
  }

  dialDue(): void {
    if (this.#stopped) return;
    const { book, seeds, scoring, peers } = this.#given;
    for (const { address, nodeId } of book.due((...known) => this.#isUnwanted(...known))) {
      if (this.#addresses.size >= Math.min(MAX_DIALLING, peers.freeSlots('outbound'))) return;
      if (scoring.isBanned(nodeId, hostOf(address))) continue;
      if (!seeds.has(address)) {
        book.dialling(address);
        this.#dial(address);
      } else if (this.#lookedUp.size < MAX_LOOKUPS) void this.#dialSeed(address);
    }
  }

  #isUnwanted(address: string, nodeId: string | undefined): boolean {
    if (this.#addresses.has(address) || this.#lookedUp.has(address)) return true;
    return nodeId !== undefined && (this.#given.peers.has(nodeId) || this.#given.refusals.has(nodeId));
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
