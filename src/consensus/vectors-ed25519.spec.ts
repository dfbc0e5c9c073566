import { describe, expect, it } from 'vitest';
import { hasVectors, vectorsNote } from '../../test/support/bitcoin.js';
import { readCctv, readSpeccheck, validOf } from '../../test/support/ed25519-vectors.js';
import { isSignedBy } from './ed25519.js';

describe.skipIf(!hasVectors)(`edge cases of Ed25519${vectorsNote}`, () => {
  it('are valid in exactly 43 of the 914 of C2SP', () => {
    const cases = readCctv();
    expect(cases).toHaveLength(914);
    expect(validOf(cases, isSignedBy)).toHaveLength(43);
  });

  // Number 3 in the table of the paper (key and R of mixed order), which has one row for two of these.
  it('are valid only as number 7 of the 15 of speccheck', () => {
    const cases = readSpeccheck();
    expect(cases).toHaveLength(15);
    expect(validOf(cases, isSignedBy)).toEqual([7]);
  });
});
