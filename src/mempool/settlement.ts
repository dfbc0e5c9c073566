import type { ChainService } from '../chain/chain.service.js';
import { BlockDamagedError } from '../chain/chain.store.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { isEntry, type Entry } from '../consensus/transaction.js';
import type { MempoolStore } from './mempool.store.js';
import type { Pool } from './pool.js';

/** Entries that one step looks at, and bytes of blocks that it reads: some tens of milliseconds. */
const STEP_ENTRIES = 1_000;
const STEP_BYTES = 2 * 1024 * 1024;

interface Work {
  readonly node: BlockNode;
  readonly entries: readonly Entry[];
  /** How many of them, from the start, are still to be looked at. */
  left: number;
}

/** What one step changed. */
export interface SettledStep {
  /** Ids that left the mempool, since the active chain holds them. */
  readonly mined: readonly Hash[];
  /** Entries that came back, since it holds them no more; in the order of their blocks. */
  readonly returned: readonly Entry[];
}

/**
 * Brings the mempool in line with blocks that a reorganisation moved into or out of the active chain. Each of their entries
 * is looked up in the active chain as it is now: what stands there leaves the mempool, what does not comes back to it. The
 * blocks to look at are noted in the commit that moves the tip, and forgotten in the one that settles the last of their
 * entries, so a restart goes on with what was left. Steps are bounded, however many entries were moved.
 */
export class Settlement {
  readonly #blocks = new Set<BlockNode>();
  /** Blocks that cannot be read until they are mended. */
  readonly #damaged = new Set<BlockNode>();
  /** The block that is being worked on, from its last entry to its first. */
  #current: Work | undefined;

  constructor(
    private readonly chain: Pick<ChainService, 'getBlock' | 'lookUp'>,
    private readonly store: MempoolStore,
    private readonly pool: Pool,
  ) {}

  /** Is there a block that may hold entries which are in the wrong place? */
  get isOpen(): boolean {
    return this.#blocks.size > 0;
  }

  /** Is there something that a step can do? */
  get isDue(): boolean {
    return this.#blocks.size > this.#damaged.size;
  }

  /** May the block hold such entries? */
  covers(node: BlockNode): boolean {
    return this.#blocks.has(node);
  }

  add(blocks: readonly BlockNode[]): void {
    for (const node of blocks) this.#blocks.add(node);
    // It moved again: what was settled of it is not any more.
    if (this.#current !== undefined && blocks.includes(this.#current.node)) this.#current = undefined;
  }

  /** The block can be read again. */
  retry(node: BlockNode): void {
    this.#damaged.delete(node);
  }

  /** Settles some of the entries, on disk and then in memory. @throws faults of our own; then nothing has changed. */
  step(): SettledStep {
    try {
      return this.#step();
    } catch (fault) {
      // What was taken begins anew: settling an entry twice changes nothing.
      this.#current = undefined;
      throw fault;
    }
  }

  #step(): SettledStep {
    const { entries, done, isMined } = this.#takeLookedUp();
    const mined = entries.filter(({ id }) => isMined.has(id) && this.pool.has(id)).map(({ id }) => id);
    const owed = entries.filter(({ id }) => !isMined.has(id));
    const returned = owed.filter(({ id }) => !this.pool.has(id));
    this.store.transact(() => {
      this.store.delete(mined);
      // A peer may have brought one of them meanwhile; now this node owes it.
      for (const { id } of owed) if (this.pool.has(id)) this.store.acknowledge(id);
      this.store.prepend(returned.map(acknowledged));
      for (const node of done) this.store.deleteUnsettled(node.id);
    });
    for (const node of done) this.#blocks.delete(node);
    for (const id of mined) this.pool.delete(id);
    for (const { id } of owed) this.pool.acknowledge(id);
    this.pool.prepend(returned.map(acknowledged));
    return { mined, returned };
  }

  /** Takes as many entries as one step may look up: each of them may stand in a big block of its own now. */
  #takeLookedUp(): { entries: Entry[]; done: BlockNode[]; isMined: ReadonlySet<Hash> } {
    const before = this.#current && { ...this.#current };
    const taken = this.#take(STEP_ENTRIES);
    const { count, found } = this.chain.lookUp(taken.entries.map(({ id }) => id).toReversed());
    if (count === taken.entries.length) return { ...taken, isMined: found };
    this.#current = before;
    return { ...this.#take(count), isMined: found };
  }

  /** The highest blocks come first, each from its end, so that what is put before all others ends up in their order. */
  #take(most: number): { entries: Entry[]; done: BlockNode[] } {
    const taken: Entry[][] = [];
    const done: BlockNode[] = [];
    let room = most;
    let bytes = STEP_BYTES;
    while (room > 0 && bytes > 0) {
      const isNew = this.#current === undefined;
      const current = (this.#current ??= this.#next(done));
      if (current === undefined) break;
      // Decoding a big block is as much as one step should cost.
      if (isNew && current.entries.length > STEP_ENTRIES) break;
      const start = Math.max(0, current.left - room);
      const part = current.entries.slice(start, current.left);
      current.left = start;
      taken.unshift(part);
      room -= part.length + 1;
      for (const entry of part) bytes -= entry.bytes.length;
      if (start > 0) continue;
      done.push(current.node);
      this.#current = undefined;
    }
    return { entries: taken.flat(), done };
  }

  #next(done: readonly BlockNode[]): Work | undefined {
    const candidates = [...this.#blocks].filter((node) => !this.#damaged.has(node) && !done.includes(node));
    candidates.sort((a, b) => b.height - a.height);
    for (const node of candidates) {
      try {
        const entries = this.chain.getBlock(node.hash)!.transactions.filter(isEntry);
        return { node, entries, left: entries.length };
      } catch (error) {
        if (!(error instanceof BlockDamagedError)) throw error;
        this.#damaged.add(node);
      }
    }
    return undefined;
  }
}

/** What was in the chain is owed to whoever saw it confirmed, wherever it was posted. */
function acknowledged(transaction: Entry): { transaction: Entry; isAcknowledged: boolean } {
  return { transaction, isAcknowledged: true };
}
