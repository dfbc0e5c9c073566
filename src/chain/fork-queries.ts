import { openBlock, type Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Transaction } from '../consensus/transaction.js';
import { viewWork } from './block-view.js';
import { BlockDamagedError } from './chain.store.js';
import type { ChainService } from './chain.service.js';
import type { Forks, TreeBlock } from './fork-schemas.js';
import type { Orphan } from './orphan-pool.js';

/** Heights of one answer. */
export const MAX_HEIGHTS = 10_000;
export const DEFAULT_HEIGHTS = 100;

/** A stretch without forks is summarised from this length on, */
const MIN_RUN = 6;
/** but not so close to the tip, where readers look. */
const SHOWN_BELOW_TIP = 20;
/** Blocks whose miner and number of entries are kept in memory: to read them again means to read the whole block. */
const MAX_HEADS = 5_000;

const NO_HASH = '0'.repeat(64);

type Chain = Pick<
  ChainService,
  'tip' | 'topHeight' | 'nodesAt' | 'isActive' | 'getBlockBytes' | 'receivedMs' | 'orphans'
>;

type Head = Pick<TreeBlock, 'miner' | 'entries' | 'receivedMs'>;

/** Heights to show; without `to` up to the highest block, without `from` the newest. */
export interface ForksRequest {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

/** The answer, whose blocks are read one by one, while the caller iterates. */
export interface LazyForks extends Omit<Forks, 'blocks'> {
  readonly blocks: Iterable<TreeBlock>;
}

/** The tree of blocks, side blocks and orphans included, as APIs show it. */
export class ForkQueries {
  readonly #chain: Chain;
  /** By BlockNode.id; oldest first. */
  readonly #heads = new Map<number, Head>();

  constructor(chain: Chain) {
    this.#chain = chain;
  }

  /** The heights that a request means, both included. */
  range({ from, to }: ForksRequest): { readonly from: number; readonly to: number } {
    const top = this.#chain.topHeight;
    if (from === undefined) return { from: Math.max(0, (to ?? top) - DEFAULT_HEIGHTS + 1), to: to ?? top };
    return { from, to: to ?? Math.max(from, Math.min(top, from + MAX_HEIGHTS - 1)) };
  }

  /**
   * The blocks of these heights. Which they are is settled now; miner and entries are read while the caller iterates. A
   * block that turns out to be damaged is shown without them.
   */
  forks(from: number, to: number): LazyForks {
    const { tip } = this.#chain;
    const orphans = this.#orphansBetween(from, to >= this.#chain.topHeight ? Infinity : to);
    const runs = this.#runs(from, to, new Set(orphans.map(({ height }) => height)));
    const shown: { readonly node: BlockNode; readonly status: TreeBlock['status'] }[] = [];
    let next = 0;
    for (let height = from; height <= Math.min(to, this.#chain.topHeight); height++) {
      if (height === runs[next]?.from) height = runs[next++]!.to;
      else {
        for (const node of this.#chain.nodesAt(height)) {
          shown.push({ node, status: this.#chain.isActive(node) ? 'active' : 'side' });
        }
      }
    }
    return { tip: { height: tip.height, hash: tip.hash }, from, to, runs, blocks: this.#views(shown, orphans) };
  }

  /** A stored block. @param block the block itself, where it is at hand. */
  view(node: BlockNode, status: TreeBlock['status'], block?: Block): TreeBlock {
    return {
      height: node.height,
      hash: node.hash,
      previousHash: node.parent?.hash ?? NO_HASH,
      status,
      ...this.#headOf(node, block),
      chainWork: viewWork(node.chainWork),
    };
  }

  *#views(
    nodes: readonly { readonly node: BlockNode; readonly status: TreeBlock['status'] }[],
    orphans: readonly TreeBlock[],
  ): Generator<TreeBlock> {
    let next = 0;
    for (const { node, status } of nodes) {
      while (next < orphans.length && orphans[next]!.height < node.height) yield orphans[next++]!;
      yield this.view(node, status);
    }
    yield* orphans.slice(next);
  }

  /** Long stretches of heights that have one block, and whose neighbours have one: a fork is shown with where it begins. */
  #runs(from: number, to: number, orphanHeights: ReadonlySet<number>): Forks['runs'] {
    const isSingle = (height: number): boolean =>
      this.#chain.nodesAt(height).length === 1 && !orphanHeights.has(height);
    const end = Math.min(to, this.#chain.tip.height - SHOWN_BELOW_TIP);
    const runs: Forks['runs'] = [];
    let first: number | undefined;
    const close = (last: number): void => {
      const count = last - (first ?? last + 1) + 1;
      if (count >= MIN_RUN) runs.push({ from: first!, to: last, count });
      first = undefined;
    };
    let [isBelowSingle, isHereSingle] = [isSingle(from - 1), isSingle(from)];
    for (let height = from; height <= end; height++) {
      const isAboveSingle = isSingle(height + 1);
      if (isBelowSingle && isHereSingle && isAboveSingle) first ??= height;
      else close(height - 1);
      [isBelowSingle, isHereSingle] = [isHereSingle, isAboveSingle];
    }
    close(end);
    return runs;
  }

  #orphansBetween(from: number, to: number): TreeBlock[] {
    return [...this.#chain.orphans]
      .map(viewOrphan)
      .filter(({ height }) => height >= from && height <= to)
      .sort((one, other) => one.height - other.height);
  }

  #headOf(node: BlockNode, block: Block | undefined): Head {
    const known = this.#heads.get(node.id);
    if (known !== undefined) return known;
    const receivedMs = this.#chain.receivedMs(node) ?? 0;
    try {
      const head = { ...(block === undefined ? this.#read(node) : headOf(block.transactions)), receivedMs };
      if (this.#heads.size >= MAX_HEADS) this.#heads.delete(this.#heads.keys().next().value!);
      this.#heads.set(node.id, head);
      return head;
    } catch (error) {
      // Whoever met it has reported it, and it is being fetched again.
      if (error instanceof BlockDamagedError) return { miner: null, entries: null, receivedMs };
      throw error;
    }
  }

  /** @throws BlockDamagedError */
  #read({ hash }: BlockNode): Omit<Head, 'receivedMs'> {
    const { count, transactions } = openBlock(this.#chain.getBlockBytes(hash)!);
    const [first] = transactions;
    return { miner: minerOf(first), entries: count - 1 };
  }
}

/** A block whose parent is unknown. */
export function viewOrphan({ block, receivedMs }: Pick<Orphan, 'block' | 'receivedMs'>): TreeBlock {
  const [coinbase] = block.transactions;
  return {
    height: coinbase?.kind === 'coinbase' ? coinbase.height : 0,
    hash: block.hash,
    previousHash: block.header.previousHash,
    status: 'orphan',
    ...headOf(block.transactions),
    receivedMs,
    chainWork: null,
  };
}

function headOf(transactions: readonly Transaction[]): Omit<Head, 'receivedMs'> {
  return { miner: minerOf(transactions[0]), entries: transactions.length - 1 };
}

function minerOf(transaction: Transaction | undefined): string {
  return transaction?.kind === 'coinbase' ? transaction.miner : '';
}
