import { viewWork } from '../chain/block-view.js';
import type { Hash } from '../consensus/codec.js';
import { hostOf } from './address.js';
import type { LinkRefusals } from './link-refusals.js';
import type { Peer } from './peer.js';
import type { KnownAddress, PeerBook } from './peer-book.js';
import type { PeerTable } from './peer-table.js';
import type { Scoring } from './scoring.js';

/** A line of GET /peers: a node that we have a session with, an address that we only know, or a node that we refuse. */
export interface PeerView {
  readonly id: string | null;
  /** Empty if this node refuses links with the node and has not seen it. */
  readonly address: string;
  readonly connected: boolean;
  /** Does this node refuse links with it? */
  readonly refused: boolean;
  /** ISO 8601; null = never. */
  readonly lastSeen: string | null;
  readonly direction: 'inbound' | 'outbound' | null;
  readonly latencyMs: number | null;
  /** Height, hash and work of its tip, as it says. */
  readonly height: number | null;
  readonly tip: Hash | null;
  readonly chainWork: string | null;
  readonly score: number;
}

export interface PeerViewsInit {
  readonly peers: PeerTable;
  readonly book: PeerBook;
  readonly scoring: Scoring;
  readonly refusals: LinkRefusals;
}

/** What this node knows of other nodes, for people and programs. */
export class PeerViews {
  readonly #given: PeerViewsInit;

  constructor(given: PeerViewsInit) {
    this.#given = given;
  }

  /** Connected peers first. */
  list(): PeerView[] {
    const { peers, refusals, scoring } = this.#given;
    const known = this.#notConnected();
    const listed = new Set(known.map(({ nodeId }) => nodeId));
    const others = refusals.all.filter(({ nodeId }) => !listed.has(nodeId));
    const absent = {
      connected: false,
      direction: null,
      latencyMs: null,
      height: null,
      tip: null,
      chainWork: null,
    } as const;
    return [
      ...peers.all.map((peer) => this.#viewOf(peer)),
      ...known.map(({ address, nodeId, lastSeenMs }) => ({
        id: nodeId ?? null,
        address,
        ...absent,
        refused: nodeId !== undefined && refusals.has(nodeId),
        lastSeen: lastSeenMs === undefined ? null : new Date(lastSeenMs).toISOString(),
        score: scoring.score(nodeId, hostOf(address)),
      })),
      ...others.map(({ nodeId, address = '' }) => ({
        id: nodeId,
        address,
        ...absent,
        refused: true,
        lastSeen: null,
        score: scoring.score(nodeId, hostOf(address)),
      })),
    ];
  }

  /** Number of nodes in `list`. */
  summary(): { readonly connected: number; readonly known: number } {
    return { connected: this.#given.peers.size, known: this.list().length };
  }

  /** Does `list` show a node with this id? */
  has(nodeId: string): boolean {
    const { book, peers, refusals } = this.#given;
    return peers.has(nodeId) || refusals.has(nodeId) || book.known.some((entry) => entry.nodeId === nodeId);
  }

  #notConnected(): KnownAddress[] {
    const { book, peers } = this.#given;
    return book.known.filter(({ nodeId }) => nodeId === undefined || !peers.has(nodeId));
  }

  #viewOf(peer: Peer): PeerView {
    return {
      id: peer.nodeId,
      address: peer.displayAddress,
      connected: true,
      refused: false,
      lastSeen: new Date(peer.lastSeenMs).toISOString(),
      direction: peer.direction,
      latencyMs: peer.latencyMs === undefined ? null : Math.round(peer.latencyMs),
      height: peer.tip.length - 1,
      tip: peer.tip.hash,
      chainWork: viewWork(peer.tip.chainWork),
      score: this.#given.scoring.score(peer.nodeId, peer.session.remoteHost),
    };
  }
}
