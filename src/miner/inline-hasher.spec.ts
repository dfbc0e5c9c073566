import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { waitFor } from '../../test/support/wait.js';
import { encodeHeader } from '../consensus/header.js';
import { createParams } from '../consensus/params.js';
import { bitsOfDifficulty } from '../consensus/target.js';
import { hash256 } from '../consensus/hash.js';
import { encodeTarget } from './hasher.js';
import { InlineHasher } from './inline-hasher.js';

const header = encodeHeader(createParams({ network: 'test', difficulty: 0 }).genesis.header);
const easy = encodeTarget(bitsOfDifficulty(0));
const hopeless = encodeTarget(bitsOfDifficulty(63));

describe('InlineHasher', () => {
  it('resolves in a microtask when the first slice finds', async () => {
    let result: unknown;
    void new InlineHasher().search(header, easy).then((found) => {
      result = found;
    });
    await Promise.resolve();
    expect(result).toEqual({ kind: 'found', nonce: 0 });
  });

  it('finds the same nonce every time, over many slices', async () => {
    const target = encodeTarget(bitsOfDifficulty(3));
    const [first, second] = [
      await new InlineHasher().search(header, target),
      await new InlineHasher().search(header, target),
    ];
    expect(first).toEqual(second);
    if (first.kind !== 'found') throw new Error(first.kind);
    const sealed = Buffer.from(header);
    sealed.writeUInt32LE(first.nonce, 76);
    expect(hash256(sealed).startsWith('000')).toBe(true);
  });

  it('is cancelled at once', async () => {
    const hasher = new InlineHasher();
    const search = hasher.search(header, hopeless);
    hasher.cancel();
    expect(await search).toEqual({ kind: 'cancelled' });
    const { hashesDone } = hasher;
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
    expect(hasher.hashesDone).toBe(hashesDone);
  });

  it('gives up the first search for a second one', async () => {
    const hasher = new InlineHasher();
    const first = hasher.search(header, hopeless);
    const second = hasher.search(header, easy);
    expect(await first).toEqual({ kind: 'cancelled' });
    expect(await second).toEqual({ kind: 'found', nonce: 0 });
  });

  it('waits between real hashes under a limit, and goes on at once when the limit is lifted', async () => {
    const clock = new VirtualClock();
    const hasher = new InlineHasher({ clock, maxHashRate: 1000 });
    const search = hasher.search(header, hopeless);
    for (let second = 1; second <= 10; second++) {
      await clock.advance(1000);
      // A piece of 50 ms at the start, which had no wait before it.
      expect(hasher.hashesDone).toBeLessThanOrEqual(second * 1000 + 100);
      expect(hasher.hashesDone).toBeGreaterThanOrEqual(second * 1000 - 100);
    }
    hasher.limit(1);
    const { hashesDone } = hasher;
    await clock.advance(10_000);
    expect(hasher.hashesDone - hashesDone).toBeLessThanOrEqual(12);
    hasher.limit(0);
    await clock.advance(0);
    await waitFor('it hashes without a wait', () => hasher.hashesDone > 100_000);
    hasher.cancel();
    expect(await search).toEqual({ kind: 'cancelled' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('keeps a limit over many short searches', async () => {
    const clock = new VirtualClock();
    const hasher = new InlineHasher({ clock, maxHashRate: 10 });
    let found = 0;
    const search = async (): Promise<void> => {
      while ((await hasher.search(header, easy)).kind === 'found') found++;
    };
    const searching = search();
    await clock.advance(10_000);
    expect(found).toBeGreaterThanOrEqual(98);
    expect(found).toBeLessThanOrEqual(102);
    hasher.cancel();
    await searching;
  });

  it('says when all nonces are tried, and counts them', async () => {
    const hasher = new InlineHasher({ nonces: 1300 });
    expect(await hasher.search(header, hopeless)).toEqual({ kind: 'exhausted' });
    expect(hasher.hashesDone).toBe(1300);
  });
});
