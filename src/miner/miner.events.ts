import type { BlockNode } from '../consensus/block-tree.js';
import type { MiningReason } from './mining-policy.js';

/**
 * How a search ended: `found` a nonce; `exhausted` all nonces of its header; `stale` when the tip changed, `refreshed` to
 * take in new entries, `halted` when no reason to mine was left; `failed` when the hasher could not search.
 */
export const SEARCH_ENDS = ['found', 'exhausted', 'stale', 'refreshed', 'halted', 'failed'] as const;
export type SearchEnd = (typeof SEARCH_ENDS)[number];

/** What a search is for: a block on `parent` with this many entries. */
export interface SearchStarted {
  readonly parent: BlockNode;
  readonly entries: number;
  readonly reason: MiningReason;
}

/** After each `started` comes exactly one `found` or `cancelled`, before the next `started`. */
export interface MinerEventMap {
  /** A search has begun. At difficulty 0 this happens thousands of times a second. */
  readonly started: SearchStarted;
  /**
   * The search found a block, and the chain accepted it as its tip: the chain's own events about it came before. If the
   * block could not be stored at once (another program's lock, a full disk), this comes when it is stored.
   */
  readonly found: { readonly node: BlockNode; readonly entries: number };
  /**
   * The search ended without a block. `end` is `stale` also when the tip changed just after a nonce was found, and
   * `failed` also when the block that was found was refused.
   */
  readonly cancelled: SearchStarted & { readonly end: Exclude<SearchEnd, 'found'> };
}
