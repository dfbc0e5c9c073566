import { EventEmitter } from 'node:events';
import { tellAll } from '../common/tell-all.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';

/** How the active chain moved in one commit. One block or a whole batch: the difference between before and after. */
export interface TipChange {
  readonly previousTip: BlockNode;
  readonly tip: BlockNode;
  readonly forkPoint: BlockNode;
  /** What left the active chain, from the old tip down; empty for a plain extension. */
  readonly disconnected: readonly Block[];
  /** What entered it, from the fork point up; several after a reorganisation, a batch or an adopted orphan. */
  readonly connected: readonly Block[];
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

export interface ChainEventMap {
  /** Inside the SQLite transaction that moves the tip: only SQL writes here; a listener that throws undoes it all. */
  committing: [TipChange];
  /** After the commit that moved the tip, once per commit. */
  tip: [TipChange];
  /** After the commit, for every newly stored block (extended, reorganised, side), adopted orphans included. */
  block: [StoredBlock];
  /** A fault of our own (disk full, I/O error, a listener that threw), in the chain or in a module that stores beside it. */
  fault: [Error];
}

/** What the chain tells its followers; it knows none of them. */
export class ChainEvents extends EventEmitter<ChainEventMap> {
  readonly #waiting: (() => void)[] = [];
  #isPublishing = false;

  /**
   * Tells of one commit. Every listener hears of commits in their order, also when a listener makes the next one; one
   * that throws neither undoes what is committed nor keeps the others from hearing of it: it is told as a fault.
   */
  publish(change: TipChange | undefined, stored: readonly StoredBlock[]): void {
    this.#waiting.push(() => {
      const onFault = (error: Error): boolean => this.emit('fault', error);
      if (change !== undefined) tellAll(this, 'tip', change, onFault);
      for (const block of stored) tellAll(this, 'block', block, onFault);
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
