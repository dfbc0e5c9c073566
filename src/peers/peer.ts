import type { Hash } from '../consensus/codec.js';
import type { PeerLimits } from './rate-limits.js';
import { SeenCache } from './seen-cache.js';
import type { Session } from './session.js';
import type { PeerTip } from './wire.js';

const KNOWN_ITEMS = 20_000;

export type Direction = 'inbound' | 'outbound';

/** What a peer said of itself in its Hello. */
export interface PeerIdentity {
  readonly nodeId: string;
  readonly instanceNonce: bigint;
  readonly userAgent: string;
  /** Where it can be dialled; undefined behind NAT. */
  readonly address: string | undefined;
}

/** A node we have an open session with, after both Hellos. */
export class Peer {
  latencyMs: number | undefined;
  /** When it last brought a block or entry that was new to us. */
  usefulAtMs: number | undefined;
  /** When it last had to show that it is still there. */
  probedAtMs: number | undefined;
  lastSeenMs: number;
  /** Why it is about to close the session, in its own words. */
  farewell: string | undefined;
  /** Hashes of blocks and ids of transactions that the peer is known to have: it sent or was sent them. */
  readonly known = new SeenCache(KNOWN_ITEMS);
  #tip: PeerTip;

  constructor(
    readonly identity: PeerIdentity,
    readonly session: Session,
    readonly direction: Direction,
    /** The address we dialled, of an outbound session. */
    readonly dialled: string | undefined,
    tip: PeerTip,
    readonly connectedAtMs: number,
    readonly limits: PeerLimits,
  ) {
    this.lastSeenMs = connectedAtMs;
    this.#tip = tip;
    this.known.add(tip.hash);
  }

  get nodeId(): string {
    return this.identity.nodeId;
  }

  /** For people: where it can be dialled, else where its connection comes from. */
  get displayAddress(): string {
    return this.identity.address ?? this.dialled ?? this.session.remoteHost;
  }

  get tip(): PeerTip {
    return this.#tip;
  }

  /** Takes note of the tip in a message of the peer. */
  sawTip(tip: PeerTip): void {
    this.#tip = tip;
    this.known.add(tip.hash);
  }

  has(hash: Hash): boolean {
    return this.known.has(hash);
  }
}
