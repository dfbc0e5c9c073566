import { EventHub } from '../common/event-hub.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import type { Orphan } from './orphan-pool.js';

/** How the active chain moved in one commit. One block or a whole batch: the difference between before and after. */
export interface TipChange {
  readonly previousTip: BlockNode;
  readonly tip: BlockNode;
  readonly forkPoint: BlockNode;
  /** What left the active chain, from the old tip down; empty for a plain extension. */
  readonly disconnected: readonly BlockNode[];
  /** What entered it, from the fork point up; several after a reorganisation, a batch or an adopted orphan. */
  readonly connected: readonly BlockNode[];
  /** Those of `connected` that this commit stored; the others were stored before, and are read where they are needed. */
  readonly arrived: ReadonlyMap<BlockNode, Block>;
}

/** What became of a block that broke no rule. */
export type AcceptOutcome =
  | { readonly kind: 'extended'; readonly node: BlockNode }
  /** `depth`: how many blocks left the active chain. */
  | { readonly kind: 'reorganised'; readonly node: BlockNode; readonly depth: number }
  | { readonly kind: 'side'; readonly node: BlockNode }
  /** `missing`: the oldest unknown ancestor, which to ask for. */
  | { readonly kind: 'orphan'; readonly missing: Hash }
  | { readonly kind: 'duplicate' };

export interface StoredBlock {
  readonly block: Block;
  readonly outcome: AcceptOutcome;
}

/** The first four in the order in which they are emitted for one commit. */
export interface ChainEventMap {
  /** Inside the SQLite transaction that moves the tip: only SQL writes here; a listener that throws undoes it all. */
  readonly committing: TipChange;
  /**
   * After that commit: listeners that wrote something in `committing` update their memory now. All of them are done
   * before the first listener of `tip`, so that the miner and gossip find a mempool that knows the new tip.
   */
  readonly committed: TipChange;
  /** After that, once per commit. */
  readonly tip: TipChange;
  /** After that, for every newly stored block (extended, reorganised, side), adopted orphans included. */
  readonly block: StoredBlock;
  /** A block whose parent is unknown was put aside, until that arrives or there is no room for it. */
  readonly orphan: Pick<Orphan, 'block' | 'receivedMs'>;
  /** A stored block turned out to be damaged, once for each: it is not served, and has to be fetched again. */
  readonly damaged: BlockNode;
  /** A damaged block is whole again. */
  readonly mended: BlockNode;
}

/** The chain's end of its events; it knows none of its followers. */
export class ChainEvents extends EventHub<ChainEventMap> {
  readonly #waiting: (() => void)[] = [];
  #isPublishing = false;

  /**
   * Emits what follows a commit. Every listener hears of commits in their order, also when a listener makes the next
   * one; one that throws neither undoes the commit nor keeps the others from hearing of it: it is reported as a fault.
   */
  publish(change: TipChange | undefined, stored: readonly StoredBlock[]): void {
    this.#waiting.push(() => {
      if (change !== undefined) {
        this.emit('committed', change);
        this.emit('tip', change);
      }
      for (const block of stored) this.emit('block', block);
    });
    if (this.#isPublishing) return;
    this.#isPublishing = true;
    try {
      for (let next; (next = this.#waiting.shift()) !== undefined;) next();
    } finally {
      this.#isPublishing = false;
    }
  }
}
