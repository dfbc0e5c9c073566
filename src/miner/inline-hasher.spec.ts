import { describe, expect, it } from 'vitest';
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

  it('says when all nonces are tried, and counts them', async () => {
    const hasher = new InlineHasher({ nonces: 1300 });
    expect(await hasher.search(header, hopeless)).toEqual({ kind: 'exhausted' });
    expect(hasher.hashesDone).toBe(1300);
  });
});
