import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  acceptBatch,
  entry,
  genesisNode,
  mineChain,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { isEntry } from '../consensus/transaction.js';
import { BodyCache } from './body-cache.js';

const BLOCKS = 250;
/** Small blocks that one look-up reads. */
const MOST = 96;
const PER_BLOCK = 3;

describe('a look-up of many entries', () => {
  let node: TestChain;
  let idsOf: string[][];

  beforeEach(() => {
    node = openChain();
    const { blocks } = mineChain(genesisNode(), BLOCKS, (index) =>
      Array.from({ length: PER_BLOCK }, (_, position) => `${index} ${position}`),
    );
    acceptBatch(node.chain, blocks);
    idsOf = blocks.map(({ transactions }) => transactions.filter(isEntry).map(({ id }) => id));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    node.close();
  });

  it('reads a bounded number of blocks, and says how far it came', () => {
    const load = vi.spyOn(BodyCache.prototype, 'add');
    const ids = idsOf.map(([first]) => first!);
    const { count, found } = node.chain.lookUp(ids);
    expect(count).toBe(MOST);
    expect(load).toHaveBeenCalledTimes(MOST);
    expect([...found]).toEqual(ids.slice(0, MOST));
    // What was found is not read again.
    expect(node.chain.lookUp(ids).count).toBe(2 * MOST);
    expect(node.chain.hasTransactions(ids)).toEqual(new Set(ids));
    expect(load).toHaveBeenCalledTimes(BLOCKS);
  });

  it('reads each block once, in whatever order its entries are asked for', () => {
    const load = vi.spyOn(BodyCache.prototype, 'add');
    const near = idsOf.slice(0, 20);
    const ids = Array.from({ length: PER_BLOCK }, (_, position) => near.map((block) => block[position]!)).flat();
    expect(node.chain.hasTransactions(ids)).toEqual(new Set(ids));
    expect(load).toHaveBeenCalledTimes(20);
  });

  it('finds all of them when asked in one go, and only those of the active chain', () => {
    const strangers = Array.from({ length: 300 }, (_, index) => entry(`elsewhere ${index}`).id);
    const ids = idsOf.flat();
    expect(node.chain.hasTransactions([...strangers, ...ids])).toEqual(new Set(ids));
    acceptBatch(node.chain, mineChain(genesisNode(), BLOCKS + 1).blocks);
    expect(node.chain.hasTransactions(ids)).toEqual(new Set());
  });
});
