import type { Hash } from '../consensus/codec.js';
import { featureOf, type Feature } from './features.js';
import type { KeyId } from './node-key.js';
import type { PeerLimits } from './rate-limits.js';
import type { ReadingPace } from './reading-pace.js';
import { SeenCache } from './seen-cache.js';
import type { Session } from './session.js';
import type { PeerTip } from './wire.js';

const KNOWN_ITEMS = 20_000;
const ANNOUNCED_BLOCKS = 1_000;

export type Direction = 'inbound' | 'outbound';

/** What a peer said of itself in its Hello. Its key is proved once there is a session; the rest is its own word. */
export interface PeerIdentity {
  readonly key: KeyId;
  /** A label; two nodes may have the same one. */
  readonly nodeId: string;
  readonly instanceNonce: bigint;
  readonly userAgent: string;
  /** Where it can be dialled; undefined behind NAT. */
  readonly address: string | undefined;
  /** Names of what it understands beyond the first version of the protocol; some may be unknown to us. */
  readonly features: ReadonlySet<string>;
}

/** Another process that proved the key of a peer while the peer had a session. */
export interface Rival {
  readonly instanceNonce: bigint;
  /** Has the peer shown since then that it is still there? Then two processes use one key. */
  isPeerAlive: boolean;
}

/** A session after both proofs. */
export interface PeerInit {
  readonly identity: PeerIdentity;
  readonly session: Session;
  readonly direction: Direction;
  /** The address that we dialled; undefined for an inbound session. */
  readonly dialled: string | undefined;
  readonly tip: PeerTip;
  /** Monotonic, as all times in here but `lastSeenMs`. */
  readonly connectedAtMs: number;
  /** Wall time. */
  readonly lastSeenMs: number;
  readonly limits: PeerLimits;
  readonly reading: ReadingPace;
}

/** A node that we have an open session with. */
export class Peer {
  readonly identity: PeerIdentity;
  readonly session: Session;
  readonly direction: Direction;
  readonly dialled: string | undefined;
  readonly connectedAtMs: number;
  readonly limits: PeerLimits;
  readonly reading: ReadingPace;
  latencyMs: number | undefined;
  /** When it last brought a block or entry that was new to us. */
  usefulAtMs: number | undefined;
  /** When it was last asked to show that it is still there. */
  probedAtMs: number | undefined;
  /** Wall time: for people. */
  lastSeenMs: number;
  rival: Rival | undefined;
  /** The reason that it gave for closing the session. */
  farewell: string | undefined;
  /** Called when a message of the peer shows another tip than the one before it. */
  tipChanged: (() => void) | undefined;
  /** Hashes of blocks and ids of transactions that the peer is known to have: it sent or was sent them. */
  readonly known = new SeenCache(KNOWN_ITEMS);
  /** Hashes of the blocks that it announced in this session. */
  readonly announced = new SeenCache(ANNOUNCED_BLOCKS);
  #tip: PeerTip;

  /** From now on its session refuses to send what the peer does not understand. */
  constructor({ identity, session, direction, dialled, tip, connectedAtMs, lastSeenMs, limits, reading }: PeerInit) {
    this.identity = identity;
    this.session = session;
    this.direction = direction;
    this.dialled = dialled;
    this.connectedAtMs = connectedAtMs;
    this.limits = limits;
    this.reading = reading;
    this.lastSeenMs = lastSeenMs;
    this.#tip = tip;
    this.known.add(tip.hash);
    session.missingFeature = (kind) => {
      const feature = featureOf(kind);
      return feature === undefined || this.supports(feature) ? undefined : feature;
    };
  }

  /** Does its Hello name the feature? */
  supports(feature: Feature): boolean {
    return this.identity.features.has(feature);
  }

  get key(): KeyId {
    return this.identity.key;
  }

  get nodeId(): string {
    return this.identity.nodeId;
  }

  /** For people: where it can be dialled, otherwise where its connection comes from. */
  get displayAddress(): string {
    return this.identity.address ?? this.dialled ?? this.session.remoteHost;
  }

  get tip(): PeerTip {
    return this.#tip;
  }

  /** Notes the tip in a message of the peer. */
  sawTip(tip: PeerTip): void {
    const isChange = tip.hash !== this.#tip.hash;
    this.#tip = tip;
    this.known.add(tip.hash);
    if (isChange) this.tipChanged?.();
  }

  has(hash: Hash): boolean {
    return this.known.has(hash);
  }
}
