import { viewWork } from '../chain/block-view.js';
import type { Hash } from '../consensus/codec.js';
import { hostOf } from './address.js';
import type { LinkRefusals } from './link-refusals.js';
import { isKeyId, type KeyId } from './node-key.js';
import type { Peer } from './peer.js';
import type { KnownAddress } from './book-entry.js';
import type { PeerBook } from './peer-book.js';
import type { PeerTable } from './peer-table.js';
import type { Scoring } from './scoring.js';

/** A line of GET /peers: a node that we have a session with, an address that we only know, or a node that we refuse. */
export interface PeerView {
  /** Its label, which other nodes may have too. */
  readonly id: string | null;
  /** The key that it proved, as 64 hex digits. */
  readonly key: KeyId | null;
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
    const others = refusals.all.filter(
      ({ name, keys }) =>
        !known.some(({ key, nodeId }) => nodeId === name || (key !== undefined && (key === name || keys.has(key)))),
    );
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
      ...known.map(({ address, key, nodeId, lastSeenMs }) => ({
        id: nodeId ?? null,
        key: key ?? null,
        address,
        ...absent,
        refused: refusals.has(nodeId, key),
        lastSeen: lastSeenMs === undefined ? null : new Date(lastSeenMs).toISOString(),
        score: scoring.score(key, hostOf(address)),
      })),
      ...others.map(({ name, keys, address = '' }) => ({
        id: isKeyId(name) ? null : name,
        key: (isKeyId(name) ? name : [...keys][0]) ?? null,
        address,
        ...absent,
        refused: true,
        lastSeen: null,
        score: scoring.score([...keys][0], hostOf(address)),
      })),
    ];
  }

  /** Number of nodes in `list`. */
  summary(): { readonly connected: number; readonly known: number } {
    return { connected: this.#given.peers.size, known: this.list().length };
  }

  /** Does `list` show a node with this name (a node id or a key)? */
  has(name: string): boolean {
    return this.list().some(({ id, key }) => (isKeyId(name) ? key === name : id === name));
  }

  /** Without the addresses that stand beside connected peers and refused links already. */
  #notConnected(): KnownAddress[] {
    const { book, peers, refusals } = this.#given;
    const refused = refusals.all.flatMap(({ address }) => address ?? []);
    const shown = new Set([...peers.all.map(({ displayAddress }) => displayAddress), ...refused]);
    return book.known.filter(({ address, key }) => (key === undefined ? !shown.has(address) : !peers.has(key)));
  }

  #viewOf(peer: Peer): PeerView {
    return {
      id: peer.nodeId,
      key: peer.key,
      address: peer.displayAddress,
      connected: true,
      refused: false,
      lastSeen: new Date(peer.lastSeenMs).toISOString(),
      direction: peer.direction,
      latencyMs: peer.latencyMs === undefined ? null : Math.round(peer.latencyMs),
      height: peer.tip.length - 1,
      tip: peer.tip.hash,
      chainWork: viewWork(peer.tip.chainWork),
      score: this.#given.scoring.score(peer.key, peer.session.remoteHost),
    };
  }
}
