import type { ChainService } from '../chain/chain.service.js';
import type { Turns } from '../common/turns.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import type { Entry } from '../consensus/transaction.js';
import type { Pool } from './pool.js';
import type { Settlement } from './settlement.js';

/** Entries for a block on `parent`, in order of arrival. */
export interface Selection {
  readonly parent: BlockNode;
  readonly entries: Entry[];
}

export interface EntrySelectionInit {
  readonly chain: Pick<ChainService, 'tip' | 'lookUpInTurns'>;
  readonly pool: Pick<Pool, 'select'>;
  readonly settlement: Pick<Settlement, 'isOpen'>;
  readonly turns: Turns;
}

/**
 * Chooses what a block should hold. While a reorganisation is being settled, entries may wait that are in the chain already:
 * they are looked up and left out, in as many turns of the event loop as that should take.
 */
export class EntrySelection {
  readonly #given: EntrySelectionInit;
  /** How often the tip has moved. */
  #moves = 0;

  constructor(given: EntrySelectionInit) {
    this.#given = given;
  }

  /** The chain has another tip, so what was looked up holds no more. */
  tipMoved(): void {
    this.#moves++;
  }

  async select(maxBytes: number, maxEntries: number): Promise<Selection> {
    const { chain, pool, settlement, turns } = this.#given;
    let moves = this.#moves;
    const free = new Set<Hash>();
    const inChain = new Set<Hash>();
    for (;;) {
      const entries = pool.select(maxBytes, maxEntries, ({ id }) => !inChain.has(id));
      const unknown = settlement.isOpen ? entries.map(({ id }) => id).filter((id) => !free.has(id)) : [];
      if (unknown.length === 0) return { parent: chain.tip, entries };
      const found = await chain.lookUpInTurns(unknown, turns);
      for (const id of unknown) (found.has(id) ? inChain : free).add(id);
      await turns.next();
      if (moves === this.#moves) continue;
      moves = this.#moves;
      free.clear();
      inChain.clear();
    }
  }
}
