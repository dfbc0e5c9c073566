import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.js';

describe('TokenBucket', () => {
  it('takes a burst, then what the rate gives', () => {
    const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 0);
    expect([1, 1, 1, 1].map((cost) => bucket.takeWhole(cost, 0))).toEqual([true, true, true, false]);
    expect(bucket.takeWhole(1, 499)).toBe(false);
    expect(bucket.takeWhole(1, 500)).toBe(true);
    expect(bucket.take(10, 1_600)).toBe(2);
    expect(bucket.take(10, 60_000)).toBe(3);
  });

  it('tells a slip from a flood, and forgets it', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 5 }, 0);
    for (let count = 0; count < 10; count++) bucket.takeWhole(1, 0);
    expect(bucket.isFlooded).toBe(false);
    bucket.takeWhole(1, 0);
    expect(bucket.isFlooded).toBe(true);
    bucket.takeWhole(1, 5_000);
    expect(bucket.isFlooded).toBe(false);
  });

  it('says how long it takes until there is room', () => {
    const bucket = new TokenBucket({ perSecond: 4, burst: 4 }, 0);
    expect(bucket.msUntil(1, 0)).toBe(0);
    bucket.take(4, 0);
    expect(bucket.msUntil(1, 0)).toBe(250);
    expect(bucket.msUntil(1, 100)).toBe(150);
    expect(bucket.msUntil(2, 100)).toBe(400);
    expect(bucket.msUntil(1, 250)).toBe(0);
  });
});
