import { describe, expect, it } from 'vitest';
import { easyParams, genesisNode, mineChain, mineOn } from '../../test/support/chain-builders.js';
import { verifyBlock } from '../consensus/verify-block.js';
import { OrphanPool } from './orphan-pool.js';

const genesis = genesisNode();
/** Plays no part in how long a block is kept. */
const WALL_MS = Date.UTC(2026, 5, 1);
const roomy = { maxCount: 100, maxBytes: 1_000_000, maxAgeMs: 1_000 };

describe('OrphanPool', () => {
  it('keeps a block once, and hands it out by its parent', () => {
    const pool = new OrphanPool(roomy);
    const [a, b] = [mineOn(genesis), mineOn(genesis)];
    for (const block of [a, b, a]) pool.add(verifyBlock(block, easyParams), WALL_MS, 0);
    expect(pool.count).toBe(2);
    expect(pool.bytes).toBe(a.bytes.length + b.bytes.length);
    expect(pool.childrenOf(genesis.hash).map(({ block }) => block)).toEqual([a, b]);
    pool.remove(a.hash);
    pool.remove(a.hash);
    expect(pool.childrenOf(genesis.hash).map(({ block }) => block)).toEqual([b]);
    pool.remove(b.hash);
    expect(pool.childrenOf(genesis.hash)).toEqual([]);
    expect(pool.bytes).toBe(0);
  });

  it('finds the oldest ancestor that is missing', () => {
    const pool = new OrphanPool(roomy);
    const { blocks } = mineChain(genesis, 5);
    for (const block of [blocks[2]!, blocks[4]!, blocks[3]!]) pool.add(verifyBlock(block, easyParams), WALL_MS, 0);
    expect(pool.missingAncestor(blocks[4]!)).toBe(blocks[1]!.hash);
  });

  it('drops the oldest ones when there are too many', () => {
    const pool = new OrphanPool({ ...roomy, maxCount: 2 });
    const blocks = [mineOn(genesis), mineOn(genesis), mineOn(genesis)];
    for (const block of blocks) pool.add(verifyBlock(block, easyParams), WALL_MS, 0);
    expect(blocks.map(({ hash }) => pool.has(hash))).toEqual([false, true, true]);
  });

  it('drops the oldest ones when they take too many bytes', () => {
    const blocks = [mineOn(genesis), mineOn(genesis), mineOn(genesis, ['x'.repeat(5_000)])];
    const pool = new OrphanPool({ ...roomy, maxBytes: 6_000 });
    for (const block of blocks) pool.add(verifyBlock(block, easyParams), WALL_MS, 0);
    expect(pool.bytes).toBeLessThanOrEqual(6_000);
    expect(pool.has(blocks[2]!.hash)).toBe(true);
    pool.add(verifyBlock(mineOn(genesis, ['x'.repeat(10_000)]), easyParams), WALL_MS, 0);
    expect(pool.count).toBe(0);
    expect(pool.bytes).toBe(0);
  });

  it('drops what has waited too long', () => {
    const pool = new OrphanPool(roomy);
    const [early, late] = [mineOn(genesis), mineOn(genesis)];
    pool.add(verifyBlock(early, easyParams), WALL_MS, 0);
    pool.add(verifyBlock(late, easyParams), WALL_MS - 86_400_000, 500);
    pool.expire(999);
    expect(pool.count).toBe(2);
    pool.expire(1_000);
    expect(pool.childrenOf(genesis.hash).map(({ block }) => block)).toEqual([late]);
  });
});
