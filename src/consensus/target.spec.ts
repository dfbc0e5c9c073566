import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashes, uint32 } from '../../test/support/arbitraries.js';
import {
  bitsOfDifficulty,
  decodeBits,
  difficultyOf,
  encodeBits,
  formatBits,
  isHashBelowTarget,
  isHashWithin,
  targetOf,
  workOf,
} from './target.js';

const TWO_256 = 2n ** 256n;
const show = (number: bigint): string => number.toString(16).padStart(64, '0');

/** Every bits value that encodeBits can give, but for zero. */
const canonicalBits = fc
  .record({ size: fc.integer({ min: 3, max: 32 }), mantissa: fc.integer({ min: 0x8000, max: 0x7fffff }) })
  .map(({ size, mantissa }) => size * 2 ** 24 + mantissa);

const targets = fc.oneof(
  fc.bigInt({ min: 0n, max: TWO_256 - 1n }),
  fc.nat({ max: 255 }).chain((bits) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits + 1) - 1n })),
);

describe('compact bits', () => {
  it.each([
    [0x00000000, 0n],
    [0x007fffff, 0n],
    [0x01007fff, 0n],
    [0x01010000, 1n],
    [0x017f0000, 0x7fn],
    [0x02000100, 1n],
    [0x02008000, 0x80n],
    [0x027fff00, 0x7fffn],
    [0x03008000, 0x8000n],
    [0x037fffff, 0x7fffffn],
    [0x04000001, 0x100n],
    [0x04008000, 0x800000n],
    [0x1d00ffff, 0xffffn << 208n],
    [0x20000001, 1n << 232n],
    [0x207fffff, 0x7fffffn << 232n],
    [0x2100ffff, 0xffffn << 240n],
    [0x220000ff, 0xffn << 248n],
    [0x22000001, 1n << 248n],
  ])('%s decodes', (bits, target) => {
    expect(decodeBits(bits)).toEqual({ target, negative: false, overflow: false });
    expect(targetOf(bits)).toBe(target === 0n ? undefined : target);
  });

  it.each([
    ['2^256 by size 33', 0x21010000, true],
    ['the largest of size 33', 0x217fffff, true],
    ['2^256 by size 34', 0x22000100, true],
    ['2^256 by size 35', 0x23000001, true],
    ['the largest of all', 0xff7fffff, true],
    ['zero of size 35', 0x23000000, false],
    ['zero of size 255', 0xff000000, false],
  ])('overflow: %s', (_, bits, overflow) => {
    expect(decodeBits(bits).overflow).toBe(overflow);
    expect(decodeBits(bits).target < TWO_256).toBe(true);
    expect(targetOf(bits)).toBeUndefined();
  });

  it.each([
    ['a sign and a mantissa', 0x04800001, true],
    ['the least below zero', 0x01810000, true],
    ['a sign, but a mantissa shifted away', 0x0180ffff, false],
    ['a sign alone', 0x04800000, false],
    ['a sign alone of size 0', 0x00ffffff, false],
    ['sign and overflow', 0xff800001, true],
  ])('sign: %s', (_, bits, negative) => {
    expect(decodeBits(bits).negative).toBe(negative);
    expect(targetOf(bits)).toBeUndefined();
    expect(workOf(bits)).toBe(0n);
    expect(isHashBelowTarget(show(0n), bits)).toBe(false);
  });

  it('keeps the magnitude of a negative target, and cuts one that overflows to 256 bits, as Core does', () => {
    expect(decodeBits(0x04923456)).toEqual({ target: 0x12345600n, negative: true, overflow: false });
    expect(decodeBits(0x21123456)).toEqual({ target: 0x3456n << 240n, negative: false, overflow: true });
  });

  it.each([
    [0n, 0],
    [1n, 0x01010000],
    [0x7fn, 0x017f0000],
    [0x80n, 0x02008000],
    [0xffn, 0x0200ff00],
    [0x100n, 0x02010000],
    [0x7fffn, 0x027fff00],
    [0x8000n, 0x03008000],
    [0x7fffffn, 0x037fffff],
    [0x800000n, 0x04008000],
    [0xffffffn, 0x0400ffff],
    [0x1000000n, 0x04010000],
    [0x7fffffffn, 0x047fffff],
    [0x80000000n, 0x05008000],
    [2n ** 255n - 1n, 0x207fffff],
    [2n ** 255n, 0x21008000],
    [TWO_256 - 1n, 0x2100ffff],
  ])('%s encodes', (target, bits) => {
    expect(encodeBits(target)).toBe(bits);
  });

  it('come back as they went, wherever they are canonical', () => {
    fc.assert(fc.property(canonicalBits, (bits) => encodeBits(targetOf(bits)!) === bits));
  });

  it('round down by less than 2^-15, to a target that stands', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const bits = encodeBits(target);
        const { target: rounded, negative, overflow } = decodeBits(bits);
        expect({ negative, overflow }).toEqual({ negative: false, overflow: false });
        expect(rounded <= target && (target - rounded) * 2n ** 15n <= target).toBe(true);
        expect(encodeBits(rounded)).toBe(bits);
      }),
      { numRuns: 1000 },
    );
  });

  it('keep the order of targets', () => {
    fc.assert(
      fc.property(targets, targets, (a, b) => {
        const [low, high] = a < b ? [a, b] : [b, a];
        expect(encodeBits(low) <= encodeBits(high)).toBe(true);
        expect(decodeBits(encodeBits(low)).target <= decodeBits(encodeBits(high)).target).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('decode, whatever they are, to mantissa times 256 to the exponent less 3', () => {
    fc.assert(
      fc.property(uint32, (bits) => {
        const whole = (BigInt(bits & 0x7fffff) * 256n ** BigInt(bits >>> 24)) / 256n ** 3n;
        const sign = (bits & 0x800000) !== 0;
        expect(decodeBits(bits)).toEqual({
          target: whole % TWO_256,
          negative: sign && whole !== 0n,
          overflow: whole >= TWO_256,
        });
        expect(targetOf(bits)).toBe(whole > 0n && whole < TWO_256 && !sign ? whole : undefined);
      }),
      { numRuns: 2000 },
    );
  });

  it('are shown in eight digits', () => {
    expect([0, 0x1d00ffff, 0xffffffff].map(formatBits)).toEqual(['00000000', '1d00ffff', 'ffffffff']);
  });
});

describe('work', () => {
  it.each([
    [0x1d00ffff, 0x100010001n],
    [0x207fffff, 2n],
    [0x2100ffff, 1n],
    [0x01010000, 2n ** 255n],
    [0x00000000, 0n],
    [0x21010000, 0n],
  ])('of %i', (bits, work) => {
    expect(workOf(bits)).toBe(work);
  });

  it("is Bitcoin Core's ~target / (target + 1) + 1 in 256 bits", () => {
    fc.assert(
      fc.property(canonicalBits, (bits) => {
        const target = targetOf(bits)!;
        expect(workOf(bits)).toBe((TWO_256 - 1n - target) / (target + 1n) + 1n);
      }),
    );
  });

  it('is never less for a smaller target', () => {
    fc.assert(
      fc.property(canonicalBits, canonicalBits, (a, b) => {
        const [hard, easy] = a < b ? [a, b] : [b, a];
        expect(workOf(hard) >= workOf(easy)).toBe(true);
      }),
    );
  });
});

describe('isHashBelowTarget', () => {
  it('takes a hash equal to the target, and none above', () => {
    const target = 0xffffn << 208n;
    expect(isHashBelowTarget(show(target), 0x1d00ffff)).toBe(true);
    expect(isHashBelowTarget(show(target + 1n), 0x1d00ffff)).toBe(false);
    expect(isHashBelowTarget(show(0n), 0x1d00ffff)).toBe(true);
    expect(isHashBelowTarget(show(TWO_256 - 1n), 0x1d00ffff)).toBe(false);
  });

  it('reads the hash as it is shown', () => {
    fc.assert(
      fc.property(hashes, canonicalBits, (hash, bits) => {
        const expected = hash <= show(targetOf(bits)!);
        expect(isHashBelowTarget(hash, bits)).toBe(expected);
        expect(isHashWithin(hash, targetOf(bits)!)).toBe(expected);
      }),
    );
  });
});

describe('difficulty', () => {
  const all = Array.from({ length: 64 }, (_, difficulty) => difficulty);

  it.each([
    [0, 0x2100ffff],
    [1, 0x200fffff],
    [2, 0x2000ffff],
    [8, 0x1d00ffff],
    [62, 0x0200ff00],
    [63, 0x010f0000],
  ])('%i is as bits', (difficulty, bits) => {
    expect(bitsOfDifficulty(difficulty)).toBe(bits);
  });

  it('asks for just so many leading zeros', () => {
    for (const difficulty of all) {
      const bits = bitsOfDifficulty(difficulty);
      const zeros = '0'.repeat(difficulty);
      expect(isHashBelowTarget(`${zeros}e`.padEnd(64, 'f'), bits)).toBe(true);
      if (difficulty > 0) expect(isHashBelowTarget(`${zeros.slice(1)}1`.padEnd(64, '0'), bits)).toBe(false);
    }
  });

  it('is cut by compact rounding where 16 set bits follow the zeros', () => {
    expect(isHashBelowTarget('00ffff'.padEnd(64, '0'), bitsOfDifficulty(2))).toBe(true);
    expect(isHashBelowTarget('00ffff'.padEnd(63, '0') + '1', bitsOfDifficulty(2))).toBe(false);
  });

  it('goes to bits and back', () => {
    expect(all.map((difficulty) => difficultyOf(bitsOfDifficulty(difficulty)))).toEqual(all);
  });

  it('is shown to two decimals, and as 64 for no target', () => {
    expect(difficultyOf(0x207fffff)).toBe(0.25);
    expect(difficultyOf(0x1d00d86a)).toBe(8.06);
    expect(difficultyOf(0x17038c12)).toBe(19.54);
    expect(difficultyOf(0)).toBe(64);
    expect(difficultyOf(0x01810000)).toBe(64);
  });

  it('does not fall as the target does', () => {
    fc.assert(
      fc.property(canonicalBits, canonicalBits, (a, b) => {
        const [hard, easy] = a < b ? [a, b] : [b, a];
        expect(difficultyOf(hard)).toBeGreaterThanOrEqual(difficultyOf(easy));
      }),
    );
  });

  it.each([-1, 64, 1.5, NaN, Infinity])('%d is refused', (difficulty) => {
    expect(() => bitsOfDifficulty(difficulty)).toThrow(RangeError);
  });
});
