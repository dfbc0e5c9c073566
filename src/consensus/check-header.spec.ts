import { describe, expect, it } from 'vitest';
import { fakeHash, linkTimes } from '../../test/support/consensus.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { checkHeaderContext, checkProofOfWork } from './check-header.js';
import { ZERO_HASH } from './codec.js';
import type { BlockHeader } from './header.js';
import type { HeaderParams } from './params.js';

const LIMIT = 0x1f00ffff;
const PARAMS: HeaderParams = {
  limitBits: LIMIT,
  retargetInterval: 0,
  targetSpacingSeconds: 10,
  medianTimeSpan: 11,
  maxFutureSeconds: 7200,
  checkpoints: new Map(),
};

function header(change: Partial<BlockHeader> = {}): BlockHeader {
  return { version: 1, previousHash: ZERO_HASH, merkleRoot: ZERO_HASH, time: 0, bits: LIMIT, nonce: 0, ...change };
}

describe('checkProofOfWork', () => {
  const ruleOf = (hash: string, bits: number): string | undefined =>
    brokenRule(() => checkProofOfWork(header({ bits }), hash, PARAMS));

  it('takes a hash equal to the target, and refuses one above', () => {
    expect(ruleOf('0000ffff'.padEnd(64, '0'), LIMIT)).toBeUndefined();
    expect(ruleOf(`${'0000ffff'.padEnd(63, '0')}1`, LIMIT)).toBe('high-hash');
    expect(ruleOf('f'.repeat(64), LIMIT)).toBe('high-hash');
  });

  it('refuses a target easier than the limit by one step, whatever the hash', () => {
    expect(ruleOf(ZERO_HASH, 0x1f00ffff)).toBeUndefined();
    expect(ruleOf(ZERO_HASH, 0x1f010000)).toBe('high-hash');
    expect(ruleOf(ZERO_HASH, 0x207fffff)).toBe('high-hash');
  });

  it.each([
    ['zero', 0x00000000],
    ['zero by a mantissa shifted away', 0x01003456],
    ['negative', 0x1f80ffff],
    ['the least negative', 0x01810000],
    ['overflowing', 0x23000001],
    ['overflowing to zero', 0xff000100],
  ])('refuses a target that is %s', (_, bits) => {
    expect(ruleOf(ZERO_HASH, bits)).toBe('high-hash');
  });

  it('goes by the target of the header, not by the limit', () => {
    const target = '00000fff'.padEnd(64, '0');
    expect(ruleOf(target, 0x1e0fff00)).toBeUndefined();
    expect(ruleOf(`${target.slice(0, 63)}1`, 0x1e0fff00)).toBe('high-hash');
  });

  it('says what it found', () => {
    expect(() => checkProofOfWork(header({ bits: 0x1f010000 }), ZERO_HASH, PARAMS)).toThrow(
      expect.objectContaining({ data: { bits: '1f010000' } }),
    );
    expect(() => checkProofOfWork(header(), 'f'.repeat(64), PARAMS)).toThrow(
      expect.objectContaining({ data: { hash: 'f'.repeat(64), bits: '1f00ffff' } }),
    );
  });
});

describe('checkHeaderContext', () => {
  /** Eleven times whose median is 50; the last is 10, so the parent's own time is far below. */
  const parent = linkTimes([90, 80, 70, 60, 51, 50, 45, 40, 30, 20, 10], LIMIT).at(-1)!;
  const NOW = 1000;
  const ruleOf = (
    change: Partial<BlockHeader>,
    params: Partial<HeaderParams> = {},
    hash = fakeHash(1),
  ): string | undefined =>
    brokenRule(() => checkHeaderContext(header({ time: 51, ...change }), hash, parent, { ...PARAMS, ...params }, NOW));

  it('takes a time above the median of eleven, and refuses the median', () => {
    expect(ruleOf({ time: 51 })).toBeUndefined();
    expect(ruleOf({ time: 50 })).toBe('time-too-old');
    expect(ruleOf({ time: 11 })).toBe('time-too-old');
  });

  it("takes a time below the parent's own where the median allows it", () => {
    const late = linkTimes([10, 20, 30, 99], LIMIT).at(-1)!;
    expect(brokenRule(() => checkHeaderContext(header({ time: 31 }), fakeHash(1), late, PARAMS, NOW))).toBeUndefined();
  });

  it('looks back as far as the parameters say', () => {
    expect(ruleOf({ time: 11 }, { medianTimeSpan: 1 })).toBeUndefined();
    expect(ruleOf({ time: 10 }, { medianTimeSpan: 1 })).toBe('time-too-old');
  });

  it('takes a time just two hours ahead, and refuses one second more', () => {
    expect(ruleOf({ time: NOW + 7200 })).toBeUndefined();
    expect(ruleOf({ time: NOW + 7201 })).toBe('time-too-new');
    expect(ruleOf({ time: NOW + 7201 }, { maxFutureSeconds: 7201 })).toBeUndefined();
  });

  it('asks for exactly the next bits: not easier, not harder', () => {
    expect(ruleOf({ bits: LIMIT })).toBeUndefined();
    expect(ruleOf({ bits: LIMIT - 1 })).toBe('bad-diffbits');
    expect(ruleOf({ bits: LIMIT + 1 })).toBe('bad-diffbits');
    // The same target in another form is another header.
    expect(ruleOf({ bits: 0x200000ff }, { limitBits: 0x1f00ff00 })).toBe('bad-diffbits');
  });

  it('asks for the retargeted bits at the interval', () => {
    // Eleven blocks took -80 s instead of 88 s: clamped to a quarter.
    expect(ruleOf({ bits: 0x1e3fffc0 }, { retargetInterval: 11, targetSpacingSeconds: 8 })).toBeUndefined();
    expect(ruleOf({ bits: LIMIT }, { retargetInterval: 11 })).toBe('bad-diffbits');
    expect(ruleOf({ bits: LIMIT }, { retargetInterval: 12 })).toBeUndefined();
  });

  it('holds checkpoints at their own height only', () => {
    const at = (height: number): Partial<HeaderParams> => ({ checkpoints: new Map([[height, fakeHash(7)]]) });
    expect(ruleOf({}, at(11), fakeHash(7))).toBeUndefined();
    expect(ruleOf({}, at(11), fakeHash(8))).toBe('checkpoint-mismatch');
    expect(ruleOf({}, at(10), fakeHash(8))).toBeUndefined();
    expect(ruleOf({}, at(12), fakeHash(8))).toBeUndefined();
  });

  it('names the first rule in this order where many are broken; the transient one comes last', () => {
    const checkpoints = new Map([[11, fakeHash(7)]]);
    const check = (change: Partial<BlockHeader>, params: Partial<HeaderParams>, now: number): string | undefined =>
      brokenRule(() =>
        checkHeaderContext(header({ time: 51, ...change }), fakeHash(8), parent, { ...PARAMS, ...params }, now),
      );
    const past = -10_000;
    expect(check({ bits: 1, time: 50 }, { checkpoints }, past)).toBe('bad-diffbits');
    expect(check({ time: 50 }, { checkpoints }, past)).toBe('checkpoint-mismatch');
    expect(check({ time: 50 }, {}, past)).toBe('time-too-old');
    expect(check({ time: 51 }, {}, past)).toBe('time-too-new');
  });

  it('says what it found and what would be right', () => {
    const dataOf = (change: Partial<BlockHeader>, params: Partial<HeaderParams> = {}): unknown => {
      try {
        checkHeaderContext(header({ time: 51, ...change }), fakeHash(1), parent, { ...PARAMS, ...params }, NOW);
        return 'accepted';
      } catch (error) {
        return (error as { data: unknown }).data;
      }
    };
    expect(dataOf({ bits: 0xff })).toEqual({ height: 11, found: '000000ff', expected: '1f00ffff' });
    expect(dataOf({ time: 50 })).toEqual({ time: 50, median: 50 });
    expect(dataOf({ time: 9000 })).toEqual({ time: 9000, latest: 8200 });
    expect(() => checkHeaderContext(header({ time: 9000 }), fakeHash(1), parent, PARAMS, NOW)).toThrow('8000 s ahead');
    expect(dataOf({}, { checkpoints: new Map([[11, fakeHash(7)]]) })).toEqual({ height: 11, expected: fakeHash(7) });
  });
});
