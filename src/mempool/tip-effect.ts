import type { TipChange } from '../chain/chain.events.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { isEntry } from '../consensus/transaction.js';
import type { Pool } from './pool.js';

/** Storing or deleting more than this takes tens of milliseconds. */
const BIG_ENTRIES = 1_000;

/** What a new tip means for the mempool. */
export interface TipEffect {
  /** Entries that leave the mempool with the commit that moves the tip. */
  readonly mined: readonly Hash[];
  /** Blocks whose entries are settled afterwards, in bounded steps. */
  readonly unsettled: readonly BlockNode[];
  /** Was storing the blocks of this commit a lot of work by itself? */
  readonly isBig: boolean;
}

/**
 * Blocks that came with this commit are in memory, so their entries leave the mempool at once, unless they are many. All other
 * blocks that enter or leave the active chain have to be read from disk first.
 */
export function planTipEffect({ connected, disconnected, arrived }: TipChange, pool: Pick<Pool, 'has'>): TipEffect {
  const mined: Hash[] = [];
  const unsettled = [...disconnected];
  let stored = 0;
  for (const node of connected) {
    const block = arrived.get(node);
    stored += block?.transactions.length ?? 0;
    // What is on disk is in memory too; memory may hold more while an earlier tip is still being told.
    const waiting = block?.transactions.filter((item) => isEntry(item) && pool.has(item.id)) ?? [];
    if (block === undefined || mined.length + waiting.length > BIG_ENTRIES) unsettled.push(node);
    else for (const { id } of waiting) mined.push(id);
  }
  return { mined, unsettled, isBig: stored > BIG_ENTRIES };
}
