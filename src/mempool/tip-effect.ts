import type { TipChange } from '../chain/chain.events.js';
import type { Hash } from '../consensus/codec.js';
import type { DataTransaction } from '../consensus/transaction.js';

/** What a move of the tip means for waiting transactions. */
export interface TipEffect {
  /** Ids that stand in the active chain now. */
  readonly mined: readonly Hash[];
  /** What was in the blocks that left and is in none that came, in the order of the blocks. */
  readonly givenBack: readonly DataTransaction[];
}

export function effectOf({ connected, disconnected }: TipChange): TipEffect {
  const mined = new Set<Hash>();
  for (const block of connected) {
    for (const transaction of block.transactions) if (transaction.kind === 'data') mined.add(transaction.id);
  }
  const givenBack: DataTransaction[] = [];
  for (const block of disconnected.toReversed()) {
    for (const transaction of block.transactions) {
      if (transaction.kind === 'data' && !mined.has(transaction.id)) givenBack.push(transaction);
    }
  }
  return { mined: [...mined], givenBack };
}
