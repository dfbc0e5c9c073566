import type { TransactionView } from '../../chain/chain-schemas.js';
import type { MempoolPage } from '../../mempool/mempool-schemas.js';
import type { Peers } from '../../peers/peers-schemas.js';
import type { Status } from '../../ops/status-schemas.js';

/** A block in GET /forks and in `block` events. */
export interface ForkBlock {
  readonly height: number;
  readonly hash: string;
  readonly previousHash: string;
  readonly status: 'active' | 'side' | 'orphan';
  /** null where the node cannot read the block from its disk. */
  readonly miner: string | null;
  readonly entries: number | null;
  /** By the clock of the node, since the epoch. */
  readonly receivedMs: number;
  readonly chainWork: string | null;
}

/** A block named by its place. */
export interface Place {
  readonly height: number;
  readonly hash: string;
}

/** GET /forks */
export interface Forks {
  readonly tip: Place;
  readonly from: number;
  readonly to: number;
  /** Stretches of the active chain of which only the heights are said. */
  readonly runs: readonly { readonly from: number; readonly to: number; readonly count: number }[];
  readonly blocks: readonly ForkBlock[];
}

export type PeerRow = Peers['peers'][number] & { readonly tip?: string | null };
export type Entry = TransactionView;

/** All that the page asks of a node when it (re)connects. */
export interface Snapshot {
  readonly status: Status;
  readonly peers: readonly PeerRow[];
  readonly mempool: MempoolPage;
  readonly forks: Forks;
}

/** How a node's tip moved. */
export interface TipEvent {
  readonly type: 'tip';
  /** By the clock of the node, since the epoch. */
  readonly atMs: number;
  readonly tip: Place & { readonly chainWork: string };
  readonly previous: Place;
  /** null when the chain only grew. */
  readonly reorg: Reorg | null;
  /** There were no events for the blocks of a sync. */
  readonly afterSync: boolean;
}

export interface Reorg {
  /** Number of blocks that left the active chain. */
  readonly depth: number;
  readonly fork: Place;
  /** Entries that went back to the mempool; null while they are still on their way. */
  readonly returned: number | null;
}

/** Entries that changed together. */
export interface EntryEvent {
  readonly type: 'entry';
  readonly atMs: number;
  readonly state: 'pending' | 'confirmed' | 'returned';
  readonly ids: readonly string[];
  readonly block: Place | null;
}

export interface PeerEvent {
  readonly type: 'peer';
  readonly state: 'connected' | 'disconnected' | 'tip';
  readonly id: string;
  readonly tip: (Place & { readonly chainWork: string }) | null;
}

export interface MiningEvent {
  readonly type: 'mining';
  readonly state: 'started' | 'found' | 'cancelled';
  readonly parent: Place;
}

/** What GET /events says, as far as the page reads it. */
export type NodeEvent =
  | { readonly type: 'block'; readonly block: ForkBlock }
  | TipEvent
  | EntryEvent
  | PeerEvent
  | MiningEvent
  | (Status['sync'] & { readonly type: 'sync' })
  | { readonly type: 'lab' };
