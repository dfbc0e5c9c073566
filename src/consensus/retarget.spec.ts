import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linkTimes } from '../../test/support/consensus.js';
import type { HeaderParams } from './params.js';
import { calculateRetarget, nextBits } from './retarget.js';
import { decodeBits, encodeBits } from './target.js';

const LIMIT = 0x207fffff;
/** Far enough from the limit for a factor of 4 either way. */
const BITS = 0x1f400000;
const TARGET = decodeBits(BITS).target;

function params(retargetInterval: number, targetSpacingSeconds = 10): HeaderParams {
  return {
    limitBits: LIMIT,
    retargetInterval,
    targetSpacingSeconds,
    medianTimeSpan: 11,
    maxFutureSeconds: 7200,
    checkpoints: new Map(),
  };
}

/** Eight blocks of 10 s: 80 s intended. */
const retarget = (actual: number, bits = BITS): number => calculateRetarget(bits, 1000, 1000 + actual, params(8));

describe('calculateRetarget', () => {
  it('keeps the target where the blocks came as intended', () => {
    expect(retarget(80)).toBe(BITS);
  });

  it.each([
    [40, TARGET / 2n],
    [79, (TARGET * 79n) / 80n],
    [81, (TARGET * 81n) / 80n],
    [160, TARGET * 2n],
  ])('%i s instead of 80 s scales it', (actual, target) => {
    expect(retarget(actual)).toBe(encodeBits(target));
  });

  it('is clamped to a quarter', () => {
    expect(retarget(20)).toBe(encodeBits(TARGET / 4n));
    for (const actual of [19, 1, 0, -1, -1000]) expect(retarget(actual)).toBe(retarget(20));
    expect(retarget(21)).not.toBe(retarget(20));
  });

  it('is clamped to four times', () => {
    expect(retarget(320)).toBe(encodeBits(TARGET * 4n));
    for (const actual of [321, 1_000_000]) expect(retarget(actual)).toBe(retarget(320));
    expect(retarget(319)).not.toBe(retarget(320));
  });

  it('takes a quarter in whole seconds, rounded down', () => {
    const short = (actual: number): number => calculateRetarget(BITS, 0, actual, params(3, 5));
    expect(short(3)).toBe(encodeBits((TARGET * 3n) / 15n));
    expect(short(2)).toBe(short(3));
  });

  it('never gets easier than the limit', () => {
    expect(retarget(81, LIMIT)).toBe(LIMIT);
    expect(retarget(320, 0x201fffff)).toBe(0x207ffffc);
    expect(retarget(320, 0x20200000)).toBe(LIMIT);
    expect(retarget(79, LIMIT)).toBe(encodeBits((decodeBits(LIMIT).target * 79n) / 80n));
  });

  it('does not wrap at 2^256 where the limit is all but that (Core would)', () => {
    const easiest = { ...params(8), limitBits: 0x2100ffff };
    expect(calculateRetarget(0x2100ffff, 0, 320, easiest)).toBe(0x2100ffff);
  });

  it('stays between a quarter, four times and the limit, and grows with the time taken', () => {
    const bits = fc
      .record({ size: fc.integer({ min: 4, max: 32 }), mantissa: fc.integer({ min: 0x8000, max: 0x7fffff }) })
      .map(({ size, mantissa }) => size * 2 ** 24 + mantissa);
    const actual = fc.integer({ min: -100, max: 1000 });
    fc.assert(
      fc.property(bits, actual, actual, (last, a, b) => {
        const [fast, slow] = [Math.min(a, b), Math.max(a, b)].map((time) => decodeBits(retarget(time, last)).target);
        const old = decodeBits(last).target;
        const limit = decodeBits(LIMIT).target;
        expect(fast! >= decodeBits(encodeBits(old / 4n)).target).toBe(true);
        expect(slow! <= old * 4n && slow! <= limit).toBe(true);
        expect(fast! <= slow!).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('nextBits', () => {
  const times = [0, 7, 1, 60, 100, 103, 120, 150, 1000];
  const nodes = linkTimes(times, BITS);

  it('is the limit for ever where the interval is 0', () => {
    for (const node of nodes) expect(nextBits(node, params(0))).toBe(LIMIT);
  });

  it("is the parent's within an interval", () => {
    for (const height of [0, 1, 2, 4, 5, 6, 8]) expect(nextBits(nodes[height]!, params(4))).toBe(BITS);
  });

  it("measures interval - 1 gaps, as Bitcoin does: not from the last interval's last block", () => {
    expect(nextBits(nodes[3]!, params(4))).toBe(calculateRetarget(BITS, 0, 60, params(4)));
    expect(nextBits(nodes[7]!, params(4))).toBe(calculateRetarget(BITS, 100, 150, params(4)));
    expect(nextBits(nodes[7]!, params(4))).not.toBe(calculateRetarget(BITS, 60, 150, params(4)));
  });

  it('starts from the bits of the parent, not of the limit', () => {
    expect(nextBits(nodes[3]!, params(4))).toBe(encodeBits((TARGET * 60n) / 40n));
  });
});
