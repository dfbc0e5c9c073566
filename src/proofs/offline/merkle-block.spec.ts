import bitcore from 'bitcore-lib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZERO_HASH, hashFromBytes, hashToBytes } from '../../consensus/codec.js';
import { sha256d } from '../../consensus/hash.js';
import { encodeHeader } from '../../consensus/header.js';
import { computeMerkleRoot } from '../../consensus/merkle.js';
import { decodeMerkleBlock, encodeMerkleBlock } from './merkle-block.js';

const { MerkleBlock } = bitcore;

const ids = Array.from({ length: 4_000 }, (_, n) => hashFromBytes(sha256d(Buffer.from(`transaction ${n}`))));

/** A merkleblock of a block with the first of the ids. */
function merkleBlock(leaves: number, pos: number): Buffer {
  const some = ids.slice(0, leaves);
  const { root: merkleRoot } = computeMerkleRoot(some);
  const header = encodeHeader({ version: 1, previousHash: ZERO_HASH, merkleRoot, time: 1, bits: 0x2000ffff, nonce: 7 });
  return encodeMerkleBlock(header, some, (at) => at === pos);
}

// A block with an entry has a coinbase too. (bitcore-lib takes one hash alone for a block without a match.)
describe('a merkleblock, read by bitcore-lib', () => {
  it('is valid and shows the one transaction, for blocks of 2 to 4,000 transactions', () => {
    const places = fc
      .integer({ min: 2, max: ids.length })
      .chain((leaves) => fc.tuple(fc.constant(leaves), fc.nat(leaves - 1)));
    fc.assert(
      fc.property(places, ([leaves, pos]) => {
        const bytes = merkleBlock(leaves, pos);
        const theirs = MerkleBlock.fromBuffer(bytes);
        expect(theirs.validMerkleTree()).toBe(true);
        const id = hashToBytes(ids[pos]!).toString('hex');
        expect(theirs.filterdTxsHash()).toEqual([id]);
        expect(theirs.hasTransaction(id)).toBe(true);
        expect(hashFromBytes(theirs.header.merkleRoot)).toBe(decodeMerkleBlock(bytes).root);
      }),
      { numRuns: 60 },
    );
  });

  it('is not valid with any bit of its hashes changed', () => {
    const whole = merkleBlock(9, 4);
    for (let at = 85; at < whole.length - 3; at++) {
      const changed = Buffer.from(whole);
      changed[at]! ^= 0x10;
      expect(MerkleBlock.fromBuffer(changed).validMerkleTree()).toBe(false);
    }
  });
});
