import { describe, expect, it } from 'vitest';
import { MAINNET, NOW_SECONDS, hasVectors, readVectorText, vectorsNote } from '../../test/support/bitcoin.js';
import { fakeHash } from '../../test/support/consensus.js';
import { brokenRule } from '../../test/support/rule-code.js';
import type { BlockNode } from './block-tree.js';
import { checkHeaderContext, checkProofOfWork } from './check-header.js';
import { ZERO_HASH } from './codec.js';
import { hash256 } from './hash.js';
import { decodeHeader } from './header.js';
import { calculateRetarget, nextBits } from './retarget.js';
import { decodeBits, encodeBits, formatBits, targetOf, workOf } from './target.js';

describe.skipIf(!hasVectors)(`all of Bitcoin's retargets up to block 832,608${vectorsNote}`, () => {
  interface Boundary {
    readonly height: number;
    readonly header: string;
    readonly hash: string;
    readonly chainwork: string;
  }

  /**
   * The file has the first and the last header of each interval. Bits are the same within one, so the work of the 2,014
   * between is known, and a node may stand right on the first of its interval: nextBits looks at no other.
   */
  function linkBoundaries(): { bytes: Buffer; node: BlockNode; expected: Boundary }[] {
    const lines = readVectorText('mainnet-retarget-boundaries.jsonl').trim().split('\n');
    const linked: { bytes: Buffer; node: BlockNode; expected: Boundary }[] = [];
    for (const expected of lines.map((line) => JSON.parse(line) as Boundary)) {
      const bytes = Buffer.from(expected.header, 'hex');
      const { time, bits } = decodeHeader(bytes);
      const parent = linked.at(-1)?.node;
      const blocks = expected.height - (parent?.height ?? -1);
      linked.push({
        bytes,
        expected,
        node: {
          hash: hash256(bytes),
          parent,
          height: expected.height,
          time,
          bits,
          chainWork: (parent?.chainWork ?? 0n) + BigInt(blocks) * workOf(bits),
          id: 0,
        },
      });
    }
    return linked;
  }

  it('have headers that do their work, with the chain work of the real chain', () => {
    const linked = linkBoundaries();
    expect(linked.length).toBe(827);
    for (const { bytes, node, expected } of linked) {
      expect(node.hash).toBe(expected.hash);
      expect(node.chainWork).toBe(BigInt(`0x${expected.chainwork}`));
      expect(brokenRule(() => checkProofOfWork(decodeHeader(bytes), node.hash, MAINNET))).toBeUndefined();
    }
  });

  it('give the bits that the next header has: 413 times, with both limits among them', () => {
    const seen = { retargets: 0, clamped: 0, unchanged: 0, atLimit: 0 };
    for (const { bytes, node } of linkBoundaries()) {
      const parent = node.parent;
      if (parent === undefined || node.height % 2016 !== 0) continue;
      const header = decodeHeader(bytes);
      const first = parent.parent!;
      expect([first.height, parent.height]).toEqual([node.height - 2016, node.height - 1]);
      expect(header.previousHash).toBe(parent.hash);
      expect(calculateRetarget(parent.bits, first.time, parent.time, MAINNET)).toBe(header.bits);
      expect(nextBits(parent, MAINNET)).toBe(header.bits);
      const ruleOf = (bits: number): string | undefined =>
        brokenRule(() => checkHeaderContext({ ...header, bits }, node.hash, parent, MAINNET, NOW_SECONDS));
      expect([header.bits, header.bits - 1, header.bits + 1].map(ruleOf)).toEqual([
        undefined,
        'bad-diffbits',
        'bad-diffbits',
      ]);
      seen.retargets++;
      if (parent.time - first.time < (2016 * 600) / 4) seen.clamped++;
      if (header.bits === parent.bits) seen.unchanged++;
      if (header.bits === MAINNET.limitBits) seen.atLimit++;
    }
    expect(seen).toEqual({ retargets: 413, clamped: 1, unchanged: 15, atLimit: 15 });
  });

  it('do not come out with the interval measured right: the off-by-one is part of the rule', () => {
    const wrong = linkBoundaries().filter(({ bytes, node }) => {
      const parent = node.parent;
      const before = parent?.parent?.parent;
      if (parent === undefined || before === undefined || node.height % 2016 !== 0) return false;
      return calculateRetarget(parent.bits, before.time, parent.time, MAINNET) !== decodeHeader(bytes).bits;
    });
    expect(wrong.length).toBeGreaterThan(350);
  });
});

describe.skipIf(!hasVectors)(`Bitcoin Core's arithmetic${vectorsNote}`, () => {
  interface CoreVectors {
    readonly compact: { compact: string; target?: string; canonical?: string; negative: boolean; overflow: boolean }[];
    readonly retarget: {
      name: string;
      firstTime: number;
      lastHeight: number;
      lastTime: number;
      lastBits: string;
      expectedBits: string;
      notPermittedBits?: string;
    }[];
  }

  const read = (): CoreVectors => JSON.parse(readVectorText('core-pow-vectors.json')) as CoreVectors;

  it('reads these compact bits: magnitude, sign, overflow, canonical form', () => {
    const { compact } = read();
    expect(compact.length).toBe(20);
    for (const vector of compact) {
      const bits = Number(`0x${vector.compact}`);
      const decoded = decodeBits(bits);
      expect([formatBits(bits), decoded.negative, decoded.overflow]).toEqual([
        vector.compact,
        vector.negative,
        vector.overflow,
      ]);
      if (vector.target === undefined) {
        expect(targetOf(bits)).toBeUndefined();
        continue;
      }
      expect(decoded.target).toBe(BigInt(`0x${vector.target}`));
      // encodeBits is for targets, which have no sign; Core's GetCompact sets it as asked.
      const sign = decoded.negative ? 0x800000 : 0;
      // Of this one the file has the canonical form of the next line in Core's test (0x80 -> 02008000).
      const canonical = vector.compact === '01123456' ? '01120000' : vector.canonical;
      expect(formatBits(encodeBits(decoded.target) + sign)).toBe(canonical);
      const stands = decoded.target > 0n && !vector.negative;
      expect(targetOf(bits)).toBe(stands ? decoded.target : undefined);
    }
  });

  it('retargets so, at both clamps and the limit', () => {
    const { retarget } = read();
    expect(retarget.length).toBe(4);
    for (const { firstTime, lastHeight, lastTime, lastBits, expectedBits, notPermittedBits } of retarget) {
      const bits = Number(`0x${lastBits}`);
      expect(formatBits(calculateRetarget(bits, firstTime, lastTime, MAINNET))).toBe(expectedBits);
      const nodeAt = (height: number, time: number, parent: BlockNode | undefined): BlockNode => ({
        hash: fakeHash(height),
        parent,
        id: 0,
        height,
        time,
        bits,
        chainWork: 0n,
      });
      const last = nodeAt(lastHeight, lastTime, nodeAt(lastHeight - 2015, firstTime, undefined));
      const ruleOf = (found: string): string | undefined => {
        const header = {
          version: 1,
          previousHash: last.hash,
          merkleRoot: ZERO_HASH,
          time: lastTime + 1,
          bits: Number(`0x${found}`),
          nonce: 0,
        };
        return brokenRule(() => checkHeaderContext(header, last.hash, last, MAINNET, NOW_SECONDS));
      };
      expect(ruleOf(expectedBits)).toBeUndefined();
      if (notPermittedBits !== undefined) expect(ruleOf(notPermittedBits)).toBe('bad-diffbits');
    }
    expect(retarget.filter(({ notPermittedBits }) => notPermittedBits !== undefined).length).toBe(2);
  });
});
