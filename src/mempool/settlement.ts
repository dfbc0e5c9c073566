import type { ChainService } from '../chain/chain.service.js';
import { BlockDamagedError } from '../chain/chain.store.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { isEntry, type Entry } from '../consensus/transaction.js';
import type { MempoolStore } from './mempool.store.js';
import type { Pool } from './pool.js';

/** Entries that one step looks at, and bytes of blocks that it reads: some tens of milliseconds. */
const STEP_ENTRIES = 500;
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
  /** Blocks that were read and are not done, the highest first. Each is worked on from its last entry to its first. */
  #ahead: Work[] = [];

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
    // A block that moved again begins anew. Of the others, the one that is being worked on goes on, and the rest are chosen
    // again, since a new one may be higher.
    if (blocks.length > 0) this.#ahead = this.#ahead.slice(0, 1).filter(({ node }) => !blocks.includes(node));
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
      this.#ahead = [];
      throw fault;
    }
  }

  #step(): SettledStep {
    const next = this.#nextEntries();
    // Each of them may stand in a big block of its own now, so perhaps not all are looked up.
    const { count, found: isMined } = this.chain.lookUp(next.map(({ id }) => id));
    // The last come first: what is put before all others ends up in the order of the blocks.
    const entries = next.slice(0, count).toReversed();
    const done = this.#finish(count);
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

  /** The entries that one step may look at, in the order in which they are settled: of the highest block the last one first. */
  #nextEntries(): Entry[] {
    const entries: Entry[] = [];
    const unread = this.#unread();
    let room = STEP_ENTRIES;
    let bytes = STEP_BYTES;
    for (let index = 0; room > 0 && bytes > 0; index++) {
      const isNew = index === this.#ahead.length;
      const work = isNew ? unread.next().value : this.#ahead[index];
      if (work === undefined) break;
      // Decoding a big block is as much as one step should cost.
      if (isNew && work.entries.length > STEP_ENTRIES) break;
      const part = work.entries.slice(Math.max(0, work.left - room), work.left);
      entries.push(...part.toReversed());
      room -= part.length + 1;
      for (const entry of part) bytes -= entry.bytes.length;
    }
    return entries;
  }

  /** Notes that so many entries are settled. @returns the blocks of which none is left. */
  #finish(count: number): BlockNode[] {
    let rest = count;
    for (const work of this.#ahead) {
      const part = Math.min(rest, work.left);
      work.left -= part;
      rest -= part;
      if (work.left > 0) break;
    }
    const firstOpen = this.#ahead.findIndex(({ left }) => left > 0);
    return this.#ahead.splice(0, firstOpen < 0 ? this.#ahead.length : firstOpen).map(({ node }) => node);
  }

  /** Reads the blocks that were not read yet, the highest first, as the caller takes them. */
  *#unread(): Generator<Work, undefined> {
    const isRead = new Set(this.#ahead.map(({ node }) => node));
    const candidates = [...this.#blocks].filter((node) => !this.#damaged.has(node) && !isRead.has(node));
    candidates.sort((a, b) => b.height - a.height);
    for (const node of candidates) {
      const entries = this.#entriesOf(node);
      if (entries === undefined) continue;
      const work = { node, entries, left: entries.length };
      this.#ahead.push(work);
      yield work;
    }
  }

  /** Undefined where the block is damaged. */
  #entriesOf(node: BlockNode): Entry[] | undefined {
    try {
      return this.chain.getBlock(node.hash)!.transactions.filter(isEntry);
    } catch (error) {
      if (!(error instanceof BlockDamagedError)) throw error;
      this.#damaged.add(node);
      return undefined;
    }
  }
}

/** What was in the chain is owed to whoever saw it confirmed, wherever it was posted. */
function acknowledged(transaction: Entry): { transaction: Entry; isAcknowledged: boolean } {
  return { transaction, isAcknowledged: true };
}
