import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasVectors, readVector, readVectorText, vectorsNote } from '../../../test/support/bitcoin.js';
import { fakeHash } from '../../../test/support/consensus.js';
import { failedCheck } from '../../../test/support/proof-rig.js';
import { ByteReader, hashFromBytes, hashToBytes, type Hash } from '../../consensus/codec.js';
import { sha256d } from '../../consensus/hash.js';
import { decodeHeader } from '../../consensus/header.js';
import { computeMerkleRoot } from '../../consensus/merkle.js';
import { decodeMerkleBlock, encodeMerkleBlock } from './merkle-block.js';
import { branchOf, rootOf } from './merkle-branch.js';
import { encodePartialTree, readPartialTree, type PartialMerkleTree } from './partial-merkle-tree.js';

const MAX_LEAVES = 4_000;

/** Distinct hashes, the same for the same number. */
const ids = Array.from({ length: MAX_LEAVES }, (_, n) => hashFromBytes(sha256d(Buffer.from(String(n)))));

function read(bytes: Buffer): PartialMerkleTree {
  return readPartialTree(new ByteReader(bytes, 'bad-blk-encoding'));
}

describe('branches and partial trees of 1 to 4,000 leaves', () => {
  it('lead from every chosen leaf to the root', () => {
    const trees = fc
      .integer({ min: 1, max: MAX_LEAVES })
      .chain((leaves) =>
        fc.tuple(fc.constant(leaves), fc.uniqueArray(fc.nat(leaves - 1), { minLength: 0, maxLength: 20 })),
      );
    fc.assert(
      fc.property(trees, ([leaves, chosen]) => {
        const some = ids.slice(0, leaves);
        const { root } = computeMerkleRoot(some);
        for (const pos of chosen.slice(0, 3)) expect(rootOf(some[pos]!, branchOf(some, pos))).toBe(root);
        const tree = read(encodePartialTree(some, (pos) => chosen.includes(pos)));
        const matches = chosen.toSorted((a, b) => a - b).map((pos) => ({ id: some[pos], pos }));
        expect(tree).toEqual({ transactions: leaves, root, matches });
      }),
      { numRuns: 40 },
    );
  });

  it('are whole for every number of leaves up to 70, and every leaf', () => {
    for (let leaves = 1; leaves <= 70; leaves++) {
      const some = ids.slice(0, leaves);
      const { root } = computeMerkleRoot(some);
      for (let pos = 0; pos < leaves; pos++) {
        expect(rootOf(some[pos]!, branchOf(some, pos))).toBe(root);
        expect(read(encodePartialTree(some, (at) => at === pos))).toEqual({
          transactions: leaves,
          root,
          matches: [{ id: some[pos], pos }],
        });
      }
    }
  });

  it('are refused where a right node repeats its left one (CVE-2012-2459)', () => {
    const [a, b, c] = ids as [Hash, Hash, Hash];
    const branch = branchOf([a, b, c], 2);
    expect(branch.merkle[0]).toBe(c);
    expect(failedCheck(() => rootOf(c, { ...branch, pos: 3 }))).toBe('merkle');
    expect(computeMerkleRoot([a, b, c, c]).root).toBe(computeMerkleRoot([a, b, c]).root);
    expect(failedCheck(() => read(encodePartialTree([a, b, c, c], (at) => at === 3)))).toBe('merkle');
  });

  it('are refused where a position or a length fits no block', () => {
    expect(failedCheck(() => rootOf(ids[0]!, { merkle: [], pos: 1 }))).toBe('merkle');
    expect(failedCheck(() => rootOf(ids[0]!, { merkle: ids.slice(0, 15), pos: 1 }))).toBe('merkle');
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['no transaction', (bytes) => Buffer.concat([Buffer.alloc(4), bytes.subarray(4)])],
    ['10,001 transactions', (bytes) => Buffer.concat([Buffer.from([0x11, 0x27, 0, 0]), bytes.subarray(4)])],
    ['a hash too many', () => tree(3, [0x1d])],
    ['a hash too few', () => tree(1, [0x1d])],
    ['a byte of bits too many', () => tree(2, [0x1d, 0x00])],
    ['bits too few', () => tree(2, [])],
  ])('a tree with %s is refused', (_, change) => {
    expect(failedCheck(() => read(change(encodePartialTree(ids.slice(0, 5), (at) => at === 4))))).toBe('format');
  });

  it('a bit that only fills the last byte must be 0', () => {
    const bytes = encodePartialTree(ids.slice(0, 5), (at) => at === 4);
    bytes[bytes.length - 1]! |= 0x80;
    expect(failedCheck(() => read(bytes))).toBe('format');
  });
});

/** Of five leaves, with so many hashes: 2 and the bits 0x1d show the last leaf. */
function tree(hashes: number, flags: readonly number[]): Buffer {
  const filling = Array.from({ length: hashes }, (_, n) => hashToBytes(fakeHash(n + 1)));
  return Buffer.concat([Buffer.from([5, 0, 0, 0, hashes]), ...filling, Buffer.from([flags.length, ...flags])]);
}

interface TxOutProof {
  readonly txids: readonly Hash[];
  readonly indexes: readonly number[];
  readonly txCount: number;
  readonly merkleblock: string;
}

describe.skipIf(!hasVectors)(`merkleblocks of Bitcoin's main network${vectorsNote}`, () => {
  const proofs = hasVectors ? (JSON.parse(readVectorText('mainnet-txoutproofs.json')) as TxOutProof[]) : [];

  it('give their transactions and places, and have the root of their header', () => {
    expect(proofs).toHaveLength(11);
    for (const { txids, indexes, txCount, merkleblock } of proofs) {
      const decoded = decodeMerkleBlock(Buffer.from(merkleblock, 'hex'));
      expect(decoded.transactions).toBe(txCount);
      expect(decoded.matches).toEqual(txids.map((id, at) => ({ id, pos: indexes[at] })));
    }
  });

  it('one of a whole block is what we write for it', () => {
    const bytes = readVector('merkleblock300025.bin');
    const { matches, header } = decodeMerkleBlock(bytes);
    const { txids } = JSON.parse(readVectorText('block300025-txids.json')) as { txids: Hash[] };
    const wanted = new Set(matches.map(({ pos }) => pos));
    expect(matches.map(({ id }) => id)).toEqual(matches.map(({ pos }) => txids[pos]));
    expect(encodeMerkleBlock(header, txids, (pos) => wanted.has(pos))).toEqual(bytes);
    expect(decodeHeader(header).merkleRoot).toBe(computeMerkleRoot(txids).root);
  });

  it('are refused with any of their hashes changed', () => {
    const bytes = Buffer.from(proofs[0]!.merkleblock, 'hex');
    for (let at = 85; at < bytes.length - 4; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x01;
      expect(failedCheck(() => decodeMerkleBlock(changed))).toBe('merkle');
    }
  });
});
