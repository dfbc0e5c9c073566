import type { Clock } from '../common/clock.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { certificateMismatch, readHello, type HelloRefusal, type SelfIdentity } from './handshake.js';
import type { Heartbeat } from './heartbeat.js';
import type { LinkRefusals } from './link-refusals.js';
import type { BodyOf } from './messages.js';
import type { Direction, PeerIdentity } from './peer.js';
import type { PeerTable } from './peer-table.js';
import type { Scoring } from './scoring.js';
import type { Session } from './session.js';
import type { PeerTip } from './wire.js';

export const DUPLICATE_SESSION = 'duplicate session';
const NO_FREE_SLOT = 'no free slot';
const EVICTED = 'evicted: another peer needs the slot';

/** Why a peer with a good Hello gets no session; `reason` goes to the peer in a Goodbye. */
export interface TurnAway {
  readonly kind: 'banned' | 'link-refused' | 'no-slot' | 'duplicate' | 'node-id-in-use';
  readonly reason: string;
}

/** 'unacceptable': the Hello itself is no good. 'turned-away': the Hello is good, but its sender gets no session. */
export type HelloDecision =
  | { readonly kind: 'accepted'; readonly identity: PeerIdentity; readonly tip: PeerTip }
  | { readonly kind: 'unacceptable'; readonly refusal: HelloRefusal }
  | { readonly kind: 'turned-away'; readonly identity: PeerIdentity; readonly turnAway: TurnAway };

export interface AcceptanceInit {
  readonly self: SelfIdentity;
  readonly genesis: BlockNode;
  /** mTLS: the Hello has to name the node that the certificate names. */
  readonly areCertificatesRequired: boolean;
  readonly peers: PeerTable;
  readonly scoring: Scoring;
  readonly refusals: LinkRefusals;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  /** An inbound peer lost its slot to a newcomer. */
  readonly evicted: () => void;
}

/** Decides which sessions stay: who said a good Hello, is welcome and has a slot, and which of two sessions with one node. */
export class Acceptance {
  readonly #given: AcceptanceInit;

  constructor(given: AcceptanceInit) {
    this.#given = given;
  }

  /**
   * Judges the Hello on a session. Acceptance may end another session: an older one with the same node, or one that is
   * evicted for this one.
   * @param host where the peer can be reached if its Hello names only a port.
   * @throws WireError `malformed-message` when a field has the wrong size.
   */
  acceptHello(hello: BodyOf<'hello'>, session: Session, direction: Direction, host: string): HelloDecision {
    const { self, genesis, areCertificatesRequired } = this.#given;
    const outcome = readHello(hello, self, genesis, host);
    if (outcome.kind !== 'accepted') return { kind: 'unacceptable', refusal: outcome };
    const { identity } = outcome;
    const mismatch = areCertificatesRequired ? certificateMismatch(identity.nodeId, session.provenNodeId) : undefined;
    if (mismatch !== undefined) return { kind: 'unacceptable', refusal: mismatch };
    const turnAway = this.#turnAway(identity, session, direction);
    return turnAway === undefined ? outcome : { kind: 'turned-away', identity, turnAway };
  }

  /** Undefined: the peer may stay. */
  #turnAway(identity: PeerIdentity, session: Session, direction: Direction): TurnAway | undefined {
    const { scoring, refusals, peers } = this.#given;
    const { nodeId } = identity;
    if (scoring.isBanned(nodeId, session.remoteHost)) return { kind: 'banned', reason: 'banned' };
    if (refusals.has(nodeId)) return { kind: 'link-refused', reason: linkRefusal(nodeId) };
    if (peers.has(nodeId)) return this.#settleDuplicate(identity, direction);
    return this.#findSlot(direction) ? undefined : { kind: 'no-slot', reason: NO_FREE_SLOT };
  }

  /** Closes the present session with the same node if it must give way to the new one. */
  #settleDuplicate(identity: PeerIdentity, direction: Direction): TurnAway | undefined {
    const present = this.#given.peers.get(identity.nodeId)!;
    // Both sides must keep the same one of two: the one that the node with the lower id dialled.
    const preferred: Direction = this.#given.self.nodeId < identity.nodeId ? 'outbound' : 'inbound';
    const isSameProcess = present.identity.instanceNonce === identity.instanceNonce;
    if (isSameProcess && present.direction !== preferred && direction === preferred) {
      present.session.close(DUPLICATE_SESSION);
      return undefined;
    }
    // The present session may be dead without our knowing, most likely if the other node has restarted.
    this.#given.heartbeat.probe(present, 'replaced by a new session');
    if (isSameProcess) return { kind: 'duplicate', reason: DUPLICATE_SESSION };
    return { kind: 'node-id-in-use', reason: `node id ${identity.nodeId} has a session already` };
  }

  /** Is there a slot for a new peer? May evict an inbound peer to free one. */
  #findSlot(direction: Direction): boolean {
    const { peers, clock, evicted } = this.#given;
    if (peers.freeSlots(direction) > 0) return true;
    const loser = direction === 'inbound' ? peers.planEviction(clock.monotonicMs()) : undefined;
    if (loser === undefined) return false;
    loser.session.close(EVICTED);
    evicted();
    return true;
  }
}

/** The Goodbye to a node whose link is refused. */
export function linkRefusal(nodeId: string): string {
  return `this node refuses links with node ${nodeId}`;
}
