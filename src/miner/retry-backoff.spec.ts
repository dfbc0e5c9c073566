import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { RetryBackoff } from './retry-backoff.js';

describe('RetryBackoff', () => {
  let clock: VirtualClock;
  let backoff: RetryBackoff;
  let waitsOver: number;
  beforeEach(() => {
    clock = new VirtualClock();
    waitsOver = 0;
    backoff = new RetryBackoff(clock, () => (waitsOver += 1));
  });

  it('doubles the wait with each failure, up to 30 s', async () => {
    const waitsMs: number[] = [];
    for (let failure = 0; failure < 7; failure++) {
      waitsMs.push(backoff.fail());
      await clock.advance(waitsMs.at(-1)! - 1);
      expect([backoff.isWaiting, waitsOver]).toEqual([true, failure]);
      await clock.advance(1);
      expect([backoff.isWaiting, waitsOver]).toEqual([false, failure + 1]);
    }
    expect(waitsMs).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });

  it('begins with the shortest wait again after a success', () => {
    expect([backoff.fail(), backoff.fail()]).toEqual([1000, 2000]);
    backoff.succeed();
    expect(backoff.fail()).toBe(1000);
  });

  it('says nothing at the end of a wait that was skipped, and keeps its length', async () => {
    backoff.fail();
    backoff.skip();
    expect(backoff.isWaiting).toBe(false);
    expect(backoff.fail()).toBe(2000);
    await clock.advance(1999);
    expect(waitsOver).toBe(0);
    await clock.advance(1);
    expect(waitsOver).toBe(1);
  });
});
