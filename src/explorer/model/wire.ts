import type { TransactionView } from '../../chain/chain-schemas.js';
import type { Forks, TreeBlock } from '../../chain/fork-schemas.js';
import type { EntryEvent, FeedEvent, MiningEvent, PeerEvent, TipEvent } from '../../events/event-schemas.js';
import type { MempoolPage } from '../../mempool/mempool-schemas.js';
import type { Peers } from '../../peers/peers-schemas.js';
import type { Status } from '../../ops/status-schemas.js';

export type { EntryEvent, Forks, MiningEvent, PeerEvent, TipEvent };
export type ForkBlock = TreeBlock;
/** A block named by its place. */
export type Place = Forks['tip'];
export type Reorg = NonNullable<TipEvent['reorg']>;
export type PeerRow = Peers['peers'][number];
export type Entry = TransactionView;
/** What GET /events says. The feed answers a `reset` itself. */
export type NodeEvent = Exclude<FeedEvent, { type: 'reset' }>;

/** All that the page asks of a node when it (re)connects. */
export interface Snapshot {
  readonly status: Status;
  readonly peers: readonly PeerRow[];
  readonly mempool: MempoolPage;
  readonly forks: Forks;
}
