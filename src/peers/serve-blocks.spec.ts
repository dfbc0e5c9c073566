import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  mineChain,
  mineOn,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { hashToBytes } from '../consensus/codec.js';
import type { BodyOf } from './messages.js';
import { serveBlocks } from './serve-blocks.js';
import { LIMITS, decodeWireBlock } from './wire.js';

describe('serveBlocks', () => {
  let test: TestChain;
  beforeEach(() => {
    test = openChain();
  });
  afterEach(() => test.close());

  const ask = (message: Partial<BodyOf<'getBlocks'>>): string[] =>
    serveBlocks(test.chain, { hashes: [], startIndex: 0, limit: 0, ...message }).blocks.map(
      ({ raw }) => decodeWireBlock(raw).hash,
    );

  it('gives blocks by hash in the order asked for, side blocks too, and passes over what it has not', () => {
    const { blocks } = mineChain(test.chain.genesis, 3);
    acceptBatch(test.chain, blocks);
    const side = mineOn(test.chain.genesis);
    accept(test.chain, side);
    const [one, , three] = blocks;
    const hashes = [three!.hash, side.hash, 'f'.repeat(64), one!.hash].map(hashToBytes);
    expect(ask({ hashes })).toEqual([three!.hash, side.hash, one!.hash]);
  });

  it('gives blocks of the active chain by height, up to its end', () => {
    const { blocks } = mineChain(test.chain.genesis, 5);
    acceptBatch(test.chain, blocks);
    const hashes = [test.chain.genesis.hash, ...blocks.map(({ hash }) => hash)];
    expect(ask({})).toEqual(hashes);
    expect(ask({ startIndex: 2, limit: 2 })).toEqual(hashes.slice(2, 4));
    expect(ask({ startIndex: 6 })).toEqual([]);
    expect(ask({ startIndex: 0xffff_ffff, limit: 0xffff_ffff })).toEqual([]);
  });

  it('gives at most 512 at a time, and takes no longer list of hashes', () => {
    acceptBatch(test.chain, mineChain(test.chain.genesis, 600).blocks);
    expect(ask({ limit: 10_000 })).toHaveLength(LIMITS.blocksRequested);
    const hashes = Array<Buffer>(LIMITS.blocksRequested + 1).fill(Buffer.alloc(32));
    expect(() => ask({ hashes })).toThrow(expect.objectContaining({ code: 'oversized-message' }));
    expect(() => ask({ hashes: [Buffer.alloc(5)] })).toThrow(expect.objectContaining({ code: 'malformed-message' }));
  });

  it('stops where the answer would get too long, but gives one block always', () => {
    const data = 'x'.repeat(16_000);
    const { blocks } = mineChain(test.chain.genesis, 4, () => Array<string>(60).fill(data));
    acceptBatch(test.chain, blocks);
    const size = blocks[0]!.bytes.length;
    const expected = Math.floor(LIMITS.blocksBytes / size);
    expect(ask({ startIndex: 1 })).toHaveLength(expected);
    expect(expected).toBeLessThan(4);
    // Asking the same block many times is bounded by bytes, too.
    expect(ask({ hashes: Array<Buffer>(500).fill(hashToBytes(blocks[0]!.hash)) })).toHaveLength(expected);
  });
});
