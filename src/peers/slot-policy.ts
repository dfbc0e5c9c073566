import type { Clock } from '../common/clock.js';
import type { HostRanges } from './host-ranges.js';
import type { KeyId } from './node-key.js';
import type { Direction, Peer } from './peer.js';
import type { PeerBook } from './peer-book.js';
import type { PeerTable } from './peer-table.js';
import { OUTBOUND_RANGE_CAP, directionCap, inboundHostCap, inboundRangeCap, keptSlots, planEviction } from './slots.js';

/** What a node that is full says to a newcomer. */
export const NO_FREE_SLOT = 'no free slot';
const EVICTED = 'evicted: another peer needs the slot';
const ROTATED = 'rotated: another address takes its turn';

/** A node that wants a session. */
export interface Newcomer {
  readonly key: KeyId;
  readonly host: string;
  /** The address that we dialled; undefined for an inbound session. */
  readonly dialled: string | undefined;
}

export interface SlotPolicyInit {
  readonly maxPeers: number;
  readonly peers: PeerTable;
  readonly book: PeerBook;
  readonly ranges: HostRanges;
  readonly clock: Clock;
  /** Is the address dialled to take the place of another outbound peer? */
  readonly isRotation: (address: string) => boolean;
  /** An inbound peer lost its slot to a newcomer. */
  readonly evicted: () => void;
}

/** Who gets a slot: not too many in one direction, from one host or from one range; bootstrap nodes and anchors always. */
export class SlotPolicy {
  readonly #given: SlotPolicyInit;

  constructor(given: SlotPolicyInit) {
    this.#given = given;
  }

  /** @param isKept is it for a bootstrap node or an anchor? */
  freeSlots(direction: Direction, isKept: boolean): number {
    const { maxPeers, peers } = this.#given;
    if (isKept) return maxPeers - peers.size;
    const withheld = this.#withheld();
    const taken = peers.all.filter((peer) => peer.direction === direction).length;
    const cap = directionCap(maxPeers) - (direction === 'outbound' ? withheld : 0);
    return Math.min(maxPeers - peers.size - withheld, cap - taken);
  }

  /** Do as many outbound sessions lead to the host's range as may? `more`: hosts that are being dialled. */
  isOutboundFull(host: string, more: readonly string[] = []): boolean {
    const owner = this.#given.ranges.ownerOf(host);
    if (owner === undefined) return false;
    const hosts = [...this.#hosts('outbound'), ...more];
    return hosts.filter((other) => this.#given.ranges.ownerOf(other) === owner).length >= OUTBOUND_RANGE_CAP;
  }

  /** Why the newcomer gets no slot; undefined if it may have one. Changes nothing. */
  refusal(newcomer: Newcomer): string | undefined {
    const plan = this.#plan(newcomer);
    return typeof plan === 'string' ? plan : undefined;
  }

  /** As `refusal`, but frees the slot if another peer has to give it up. */
  acceptNewcomer(newcomer: Newcomer): string | undefined {
    const plan = this.#plan(newcomer);
    if (typeof plan === 'string') return plan;
    if (plan === undefined) return undefined;
    const isInbound = plan.direction === 'inbound';
    plan.session.close(isInbound ? EVICTED : ROTATED);
    if (isInbound) this.#given.evicted();
    return undefined;
  }

  /** Owners of the hosts that outbound sessions lead to. */
  outboundOwners(): ReadonlySet<string> {
    return new Set(this.#hosts('outbound').map((host) => this.#given.ranges.ownerOf(host) ?? host));
  }

  /** A text: no slot, and why. A peer: its slot. Undefined: a free slot. */
  #plan({ key, host, dialled }: Newcomer): string | Peer | undefined {
    const { book, clock, isRotation, peers } = this.#given;
    const direction: Direction = dialled === undefined ? 'inbound' : 'outbound';
    const isKept = book.isKeptKey(key) || (dialled !== undefined && book.isKept(dialled));
    if (!isKept) {
      const crowd = direction === 'inbound' ? this.#inboundCrowd(host) : undefined;
      if (crowd !== undefined) return crowd;
      if (direction === 'outbound' && this.isOutboundFull(host)) return `enough sessions with ${this.#nameOf(host)}`;
    }
    if (this.freeSlots(direction, isKept) > 0) return undefined;
    if (direction === 'inbound') return planEviction(peers.all, clock.monotonicMs()) ?? NO_FREE_SLOT;
    return (isKept || isRotation(dialled!) ? this.#youngestOutbound() : undefined) ?? NO_FREE_SLOT;
  }

  #inboundCrowd(host: string): string | undefined {
    const { maxPeers, ranges } = this.#given;
    const owner = ranges.ownerOf(host);
    if (owner === undefined) return undefined;
    const hosts = this.#hosts('inbound');
    if (hosts.filter((other) => other === host).length >= inboundHostCap(maxPeers)) {
      return `enough sessions with ${host}`;
    }
    const ofOwner = hosts.filter((other) => ranges.ownerOf(other) === owner).length;
    return ofOwner >= inboundRangeCap(maxPeers) ? `enough sessions with ${this.#nameOf(host)}` : undefined;
  }

  #nameOf(host: string): string {
    return this.#given.ranges.rangeOf(host) ?? host;
  }

  #hosts(direction: Direction): string[] {
    return this.#given.peers.all
      .filter((peer) => peer.direction === direction)
      .map(({ session }) => session.remoteHost);
  }

  #withheld(): number {
    const { book, maxPeers, peers } = this.#given;
    return Math.min(
      keptSlots(maxPeers),
      book.countAbsentKept((key) => peers.has(key)),
    );
  }

  #youngestOutbound(): Peer | undefined {
    const { book, peers } = this.#given;
    return peers.all
      .filter(
        ({ direction, dialled, key }) => direction === 'outbound' && !book.isKept(dialled!) && !book.isKeptKey(key),
      )
      .toSorted((a, b) => b.connectedAtMs - a.connectedAtMs)[0];
  }
}
