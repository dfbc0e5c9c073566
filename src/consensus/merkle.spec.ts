import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashes } from '../../test/support/arbitraries.js';
import { fakeHash } from '../../test/support/consensus.js';
import { ZERO_HASH, type Hash } from './codec.js';
import { computeMerkleRoot } from './merkle.js';

/** The textbook's recursion over hex strings; shares no code with merkle.ts. */
function naiveRoot(row: readonly Hash[]): Hash {
  if (row.length === 1) return row[0]!;
  const reversed = (hash: Hash): Buffer => Buffer.from(hash, 'hex').reverse();
  const digest = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  const next: Hash[] = [];
  for (let i = 0; i < row.length; i += 2) {
    const both = Buffer.concat([reversed(row[i]!), reversed(row[i + 1] ?? row[i]!)]);
    next.push(digest(digest(both)).reverse().toString('hex'));
  }
  return naiveRoot(next);
}

/** The shortest longer list with the same root: the last, odd subtree again (none for a full tree). */
function mutate(ids: readonly Hash[]): Hash[] {
  let subtree = 1;
  while ((ids.length / subtree) % 2 === 0) subtree *= 2;
  return [...ids, ...ids.slice(-subtree)];
}

const range = (length: number): Hash[] => Array.from({ length }, (_, i) => fakeHash(i + 1));
const isPowerOfTwo = (n: number): boolean => (n & (n - 1)) === 0;

describe('computeMerkleRoot', () => {
  it('of nothing is zeros, of one id is that id', () => {
    expect(computeMerkleRoot([])).toEqual({ root: ZERO_HASH, mutated: false });
    expect(computeMerkleRoot([fakeHash(7)])).toEqual({ root: fakeHash(7), mutated: false });
  });

  it("of Bitcoin's block 170 (the first payment) is what its header says", () => {
    const ids = [
      'b1fea52486ce0c62bb442b530a3f0132b826c74e473d1f2c220bfa78111c5082',
      'f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16',
    ];
    const root = '7dac2c5666815c17a3b36427de37bb9d2e2c5ccec3f8633eb91a4205cb4c10ff';
    expect(computeMerkleRoot(ids)).toEqual({ root, mutated: false });
  });

  it('is the naive root for every length up to 70, and such lists are not mutated', () => {
    for (let length = 1; length <= 70; length++) {
      expect(computeMerkleRoot(range(length))).toEqual({ root: naiveRoot(range(length)), mutated: false });
    }
  });

  it('is the naive root of any list', () => {
    fc.assert(
      fc.property(fc.array(hashes, { minLength: 1, maxLength: 40 }), (ids) => {
        expect(computeMerkleRoot(ids).root).toBe(naiveRoot(ids));
      }),
    );
  });

  it.each([
    [
      [1, 2, 3],
      [1, 2, 3, 3],
    ],
    [
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6, 5, 6],
    ],
    [
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5, 5, 5, 5],
    ],
  ])('tells CVE-2012-2459: %j and %j have one root', (honest, forged) => {
    const [good, bad] = [honest, forged].map((list) => computeMerkleRoot(list.map(fakeHash)));
    expect(bad!.root).toBe(good!.root);
    expect([good!.mutated, bad!.mutated]).toEqual([false, true]);
  });

  it('tells every repeated subtree, of all lengths up to 66', () => {
    for (let length = 1; length <= 66; length++) {
      if (isPowerOfTwo(length)) continue;
      const honest = range(length);
      for (let forged = mutate(honest); ; forged = mutate(forged)) {
        expect(computeMerkleRoot(forged)).toEqual({ root: computeMerkleRoot(honest).root, mutated: true });
        if (isPowerOfTwo(forged.length)) break;
      }
    }
  });

  it('does not cry mutation over equal ids that are no siblings', () => {
    expect(computeMerkleRoot([1, 2, 2, 3].map(fakeHash)).mutated).toBe(false);
    expect(computeMerkleRoot([1, 2, 1].map(fakeHash)).mutated).toBe(false);
    expect(computeMerkleRoot([1, 1].map(fakeHash)).mutated).toBe(true);
  });

  it('changes with every id and with their order', () => {
    const list = fc.uniqueArray(hashes, { minLength: 2, maxLength: 20 });
    fc.assert(
      fc.property(list, fc.nat(), fc.nat(), (ids, a, b) => {
        const { root } = computeMerkleRoot(ids);
        const changed = ids.with(a % ids.length, fakeHash(1));
        expect(computeMerkleRoot(changed).root).not.toBe(root);
        const [i, j] = [a % ids.length, b % ids.length];
        const swapped = ids.with(i, ids[j]!).with(j, ids[i]!);
        expect(computeMerkleRoot(swapped).root === root).toBe(i === j);
      }),
    );
  });

  it('leaves its input alone', () => {
    const ids = range(5);
    computeMerkleRoot(ids);
    expect(ids).toEqual(range(5));
  });
});
