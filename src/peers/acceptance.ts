import type { BlockNode } from '../consensus/block-tree.js';
import { certificateMismatch, readHello, type HelloRefusal, type SelfIdentity } from './handshake.js';
import type { Heartbeat } from './heartbeat.js';
import type { LinkRefusals } from './link-refusals.js';
import type { BodyOf } from './messages.js';
import type { Direction, Peer, PeerIdentity, Rival } from './peer.js';
import type { PeerTable } from './peer-table.js';
import type { Scoring } from './scoring.js';
import type { Session } from './session.js';
import type { SlotPolicy } from './slot-policy.js';
import type { PeerTip } from './wire.js';

export const DUPLICATE_SESSION = 'duplicate session';
/** Said to a process whose key another process uses at the same time. */
export const KEY_IN_USE = 'another process uses the same node key or certificate; was a data directory copied?';

/**
 * Why a peer with a good Hello gets no session; `reason` goes to the peer in a Goodbye. 'self': the node has dialled
 * itself. 'key-in-use': another process with the same key is alive, `other` its session (undefined: this very process).
 */
export interface TurnAway {
  readonly kind: 'banned' | 'link-refused' | 'no-slot' | 'duplicate' | 'restarted' | 'self' | 'key-in-use';
  readonly reason: string;
  readonly other?: Peer | undefined;
}

/** A Hello that may be followed by a Proof. */
export interface GoodHello {
  readonly kind: 'good';
  readonly identity: PeerIdentity;
  readonly tip: PeerTip;
}

/** 'unacceptable': the Hello itself is no good. 'turned-away': the Hello is good, but its sender gets no session. */
export type HelloDecision =
  | GoodHello
  | { readonly kind: 'unacceptable'; readonly refusal: HelloRefusal }
  | { readonly kind: 'turned-away'; readonly turnAway: TurnAway };

export interface AcceptanceInit {
  readonly self: SelfIdentity;
  readonly genesis: BlockNode;
  /** mTLS: the Hello has to name the node that the certificate names, and each certificate has one session. */
  readonly areCertificatesRequired: boolean;
  readonly peers: PeerTable;
  readonly slots: SlotPolicy;
  readonly scoring: Scoring;
  readonly refusals: LinkRefusals;
  readonly heartbeat: Heartbeat;
}

/**
 * Decides which sessions stay: who said a good Hello, has proved its key, is welcome and has a slot, and which of two
 * sessions with one node. Nothing that is not proved changes anything for another session.
 */
export class Acceptance {
  readonly #given: AcceptanceInit;

  constructor(given: AcceptanceInit) {
    this.#given = given;
  }

  /**
   * Judges the Hello on a session, and changes nothing. A dialler that would be turned away anyway is not asked for its
   * proof; one that we dialled is, because the proof tells who is behind the address.
   * @param host where the peer can be reached if its Hello names only a port.
   * @throws WireError `malformed-message` when a field has the wrong size.
   */
  judgeHello(hello: BodyOf<'hello'>, session: Session, direction: Direction, host: string): HelloDecision {
    const { genesis, areCertificatesRequired, peers, self, slots } = this.#given;
    const outcome = readHello(hello, genesis, host);
    if (outcome.kind !== 'accepted') return { kind: 'unacceptable', refusal: outcome };
    const { identity, tip } = outcome;
    const mismatch = areCertificatesRequired ? certificateMismatch(identity.nodeId, session.provenNodeId) : undefined;
    if (mismatch !== undefined) return { kind: 'unacceptable', refusal: mismatch };
    const good: GoodHello = { kind: 'good', identity, tip };
    if (direction === 'outbound') return good;
    const isKnown = peers.has(identity.key) || identity.key === self.key.id;
    const crowd = isKnown ? undefined : slots.refusal(newcomerOf(identity, session, undefined));
    const turnAway = this.#unwelcome(identity, session) ?? (crowd === undefined ? undefined : noSlot(crowd));
    return turnAway === undefined ? good : { kind: 'turned-away', turnAway };
  }

  /**
   * Decides about a peer that has proved its key. Acceptance may end another session: an older one with the same node,
   * or one that gives up its slot.
   * @param dialled the address that we dialled; undefined for an inbound session.
   * @returns undefined if the peer may stay.
   */
  acceptProven(identity: PeerIdentity, session: Session, dialled: string | undefined): TurnAway | undefined {
    const { self, slots } = this.#given;
    if (identity.key === self.key.id) {
      if (identity.instanceNonce === self.instanceNonce) return { kind: 'self', reason: 'this is the same node' };
      return { kind: 'key-in-use', reason: KEY_IN_USE };
    }
    const unwelcome = this.#unwelcome(identity, session);
    if (unwelcome !== undefined) return unwelcome;
    const present = this.#presentSession(identity);
    if (present !== undefined) return this.#settle(present, identity, dialled === undefined ? 'inbound' : 'outbound');
    const refusal = slots.acceptNewcomer(newcomerOf(identity, session, dialled));
    return refusal === undefined ? undefined : noSlot(refusal);
  }

  #unwelcome({ key, nodeId }: PeerIdentity, session: Session): TurnAway | undefined {
    const { scoring, refusals } = this.#given;
    if (scoring.isBanned(key, session.remoteHost)) return { kind: 'banned', reason: 'banned' };
    return refusals.has(nodeId, key) ? { kind: 'link-refused', reason: linkRefusal(nodeId) } : undefined;
  }

  /** The owner of one certificate can make any number of keys, and must not fill the slots with them. */
  #presentSession({ key, nodeId }: PeerIdentity): Peer | undefined {
    const { areCertificatesRequired, peers } = this.#given;
    return peers.get(key) ?? (areCertificatesRequired ? peers.all.find((peer) => peer.nodeId === nodeId) : undefined);
  }

  /** Closes the present session with the same node if it must give way to the new one. */
  #settle(present: Peer, identity: PeerIdentity, direction: Direction): TurnAway | undefined {
    const { heartbeat, self } = this.#given;
    const isSameProcess = present.key === identity.key && present.identity.instanceNonce === identity.instanceNonce;
    if (!isSameProcess) return this.#settleRivals(present, identity);
    // Two nodes that dialled each other at once must keep the same one of two sessions: that of the lower key. We send
    // no proof on a dial that finds us connected, so this happens only if both dials were on their way.
    if (direction === 'inbound' && present.direction === 'outbound' && identity.key < self.key.id) {
      present.session.close(DUPLICATE_SESSION);
      return undefined;
    }
    // The present session may be dead without our knowing.
    heartbeat.probe(present, 'replaced by a new session');
    return { kind: 'duplicate', reason: DUPLICATE_SESSION };
  }

  /** A node that has restarted gets its session as soon as the old one is found dead; until then it tries again. */
  #settleRivals(present: Peer, { instanceNonce }: PeerIdentity): TurnAway {
    if (present.rival?.instanceNonce === instanceNonce && present.rival.isPeerAlive) {
      return { kind: 'key-in-use', reason: KEY_IN_USE, other: present };
    }
    const rival: Rival = { instanceNonce, isPeerAlive: false };
    present.rival = rival;
    this.#given.heartbeat.probe(present, 'replaced by a new session', () => {
      rival.isPeerAlive = true;
    });
    return { kind: 'restarted', reason: 'an earlier session with this node is open; try again in a few seconds' };
  }
}

/** The Goodbye to a node whose link is refused. */
export function linkRefusal(nodeId: string): string {
  return `this node refuses links with ${nodeId}`;
}

function noSlot(reason: string): TurnAway {
  return { kind: 'no-slot', reason };
}

function newcomerOf(
  { key }: PeerIdentity,
  { remoteHost }: Session,
  dialled: string | undefined,
): Parameters<SlotPolicy['refusal']>[0] {
  return { key, host: remoteHost, dialled };
}
