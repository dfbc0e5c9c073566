import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  entry,
  mineChain,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import type { LazyBlockView } from './block-view.js';
import { ChainQueries } from './chain-queries.js';
import { blockViewSchema, storedBlockSchema, type TransactionView } from './chain-schemas.js';

function whole<T extends LazyBlockView>(view: T): Omit<T, 'transactions'> & { transactions: TransactionView[] } {
  return { ...view, transactions: [...view.transactions] };
}

let node: TestChain;
let queries: ChainQueries;

beforeEach(() => {
  node = openChain();
  queries = new ChainQueries(node.chain);
});

afterEach(() => node.close());

describe('block', () => {
  it('is found by height and by hash, with its confirmations', () => {
    const { blocks } = mineChain(node.chain.genesis, 5, (index) => [`entry ${index}`]);
    acceptBatch(node.chain, blocks);
    const view = whole(queries.block(2)!);
    expect(view).toMatchObject({ index: 2, hash: blocks[1]!.hash, confirmations: 4 });
    expect(whole(queries.block(view.hash)!)).toEqual(view);
    expect(storedBlockSchema.parse(view)).toEqual(view);
    expect(queries.block(5)!.confirmations).toBe(1);
    expect(queries.block(0)!.confirmations).toBe(6);
    expect(queries.height).toBe(5);
  });

  it('has no confirmations on a side branch, and none at all once its branch has lost', () => {
    const { genesis } = node.chain;
    const [first, rival] = [mineOn(genesis, ['first']), mineOn(genesis, ['rival'])];
    acceptBatch(node.chain, [first, rival]);
    expect(queries.block(rival.hash)!.confirmations).toBe(0);
    accept(node.chain, mineOn(nodeOf(rival, genesis)));
    expect(queries.block(rival.hash)!.confirmations).toBe(2);
    expect(queries.block(first.hash)!.confirmations).toBe(0);
  });

  it('is undefined for one that is not stored', () => {
    expect(queries.block(1)).toBeUndefined();
    expect(queries.block('f'.repeat(64))).toBeUndefined();
  });
});

describe('page', () => {
  it('gives the newest blocks, or those from a height up', () => {
    acceptBatch(node.chain, mineChain(node.chain.genesis, 9).blocks);
    const indexes = (from: number | undefined, limit: number) =>
      [...queries.page({ from, limit }).blocks].map(({ index }) => index);
    expect(indexes(undefined, 3)).toEqual([7, 8, 9]);
    expect(indexes(undefined, 100)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(indexes(4, 2)).toEqual([4, 5]);
    expect(indexes(9, 5)).toEqual([9]);
    expect(indexes(Number.MAX_SAFE_INTEGER, 1000)).toEqual([]);
    expect(queries.page({ limit: 3 })).toMatchObject({ length: 10, tip: node.chain.tip.hash, from: 7 });
  });

  it('reads a block only when it is taken', () => {
    acceptBatch(node.chain, mineChain(node.chain.genesis, 9).blocks);
    const read: string[] = [];
    const { chain } = node;
    const counting = new ChainQueries({
      tip: chain.tip,
      node: (hash) => chain.node(hash),
      nodeAt: (height) => chain.nodeAt(height),
      isActive: (each) => chain.isActive(each),
      params: chain.params,
      getHeaderBytes: (from, limit) => chain.getHeaderBytes(from, limit),
      getBlockBytes: (hash) => (read.push(hash), chain.getBlockBytes(hash)),
    });
    const [first] = counting.page({ from: 3, limit: 5 }).blocks;
    expect(blockViewSchema.safeParse(whole(first!)).error).toBeUndefined();
    expect(read).toEqual([chain.nodeAt(3)!.hash]);
  });

  it('shows one chain although a reorganisation comes while it is read', () => {
    const { genesis } = node.chain;
    const old = mineChain(genesis, 4, () => [entry('old')]).blocks;
    acceptBatch(node.chain, old);
    const shown: string[] = [];
    for (const { hash } of queries.page({ from: 1, limit: 10 }).blocks) {
      if (shown.length === 1) acceptBatch(node.chain, mineChain(genesis, 5).blocks);
      shown.push(hash);
    }
    expect(node.chain.tip.height).toBe(5);
    expect(shown).toEqual(old.map(({ hash }) => hash));
  });
});
