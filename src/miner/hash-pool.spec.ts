import { Writable } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { hash256 } from '../consensus/hash.js';
import { bitsOfDifficulty } from '../consensus/target.js';
import { encodeTarget } from './hasher.js';
import { HashPool, type HashPoolOptions } from './hash-pool.js';

const easy = encodeTarget(bitsOfDifficulty(0));
const hopeless = encodeTarget(bitsOfDifficulty(63));
const DEADLINE = { timeout: 10_000, interval: 2 };

let logged: { msg: string; level: number }[] = [];
const log = pino(
  { level: 'debug' },
  new Writable({
    write(line, _encoding, done) {
      logged.push(JSON.parse(String(line)));
      done();
    },
  }),
);
let pool: HashPool;
const workers: Worker[] = [];
const onWorker = (worker: Worker): void => void workers.push(worker);

async function startPool(options: Partial<HashPoolOptions> = {}): Promise<HashPool> {
  logged = [];
  workers.length = 0;
  process.on('worker', onWorker);
  pool = new HashPool({ threads: 2, log, ...options });
  await pool.start();
  return pool;
}

function headerWith(fill: number): Buffer {
  return Buffer.alloc(80, fill);
}

function hashWith(header: Buffer, nonce: number): string {
  const sealed = Buffer.from(header);
  sealed.writeUInt32LE(nonce, 76);
  return hash256(sealed);
}

async function hashing(): Promise<void> {
  const before = pool.hashesDone;
  await vi.waitFor(() => expect(pool.hashesDone).toBeGreaterThan(before), DEADLINE);
}

afterEach(async () => {
  process.off('worker', onWorker);
  await pool.stop();
});

describe('HashPool', () => {
  it.each(['simd', 'scalar', 'crypto'] as const)('finds with the %s kernel', async (kernel) => {
    await startPool({ kernel });
    for (let round = 0; round < 5; round++) {
      const header = headerWith(round);
      const result = await pool.search(header, encodeTarget(bitsOfDifficulty(3)));
      if (result.kind !== 'found') throw new Error(result.kind);
      expect(hashWith(header, result.nonce)).toMatch(/^000/);
    }
  });

  it('keeps a limit for all threads together, and follows its change at once', async () => {
    const LIMIT = 20_000;
    await startPool({ maxHashRate: LIMIT });
    const startedMs = performance.now();
    const search = pool.search(headerWith(1), hopeless);
    await vi.waitFor(() => expect(pool.hashesDone).toBeGreaterThan(LIMIT / 2), DEADLINE);
    const seconds = (performance.now() - startedMs) / 1000;
    // A piece of 50 ms at the start, and as much again that may be made up for.
    expect(pool.hashesDone).toBeLessThanOrEqual((seconds + 0.15) * LIMIT);
    pool.limit(1);
    const before = pool.hashesDone;
    pool.limit(0);
    await vi.waitFor(() => expect(pool.hashesDone).toBeGreaterThan(before + 20 * LIMIT), DEADLINE);
    pool.cancel();
    expect(await search).toEqual({ kind: 'cancelled' });
  });

  it('ends a search at once while its threads wait', async () => {
    await startPool({ maxHashRate: 1 });
    const search = pool.search(headerWith(2), hopeless);
    await vi.waitFor(() => expect(pool.hashesDone).toBe(2), DEADLINE);
    // Both threads wait now, each for two seconds.
    pool.limit(1_000_000);
    pool.cancel();
    expect(await search).toEqual({ kind: 'cancelled' });
    expect((await pool.search(headerWith(3), easy)).kind).toBe('found');
    pool.limit(1);
    const last = pool.search(headerWith(4), hopeless);
    await pool.stop();
    expect(await last).toEqual({ kind: 'cancelled' });
  });

  it('chooses the SIMD kernel by itself', async () => {
    await startPool();
    expect(logged).toEqual([expect.objectContaining({ threads: 2, kernel: 'simd' })]);
  });

  it('cancels at once, and its threads stop', async () => {
    await startPool();
    const search = pool.search(headerWith(1), hopeless);
    await hashing();
    pool.cancel();
    expect(await search).toEqual({ kind: 'cancelled' });
    // Still means: three looks in a row, each in another turn of the event loop, see the same count.
    let last = -1;
    let still = 0;
    await vi.waitFor(() => {
      still = pool.hashesDone === last ? still + 1 : 0;
      last = pool.hashesDone;
      expect(still).toBeGreaterThan(3);
    }, DEADLINE);
  });

  it('gives up the first search for a second one', async () => {
    await startPool();
    const first = pool.search(headerWith(1), hopeless);
    await hashing();
    const second = pool.search(headerWith(2), easy);
    expect(await first).toEqual({ kind: 'cancelled' });
    expect(await second).toMatchObject({ kind: 'found' });
  });

  it('answers many searches in a row, each cancelled by the next', async () => {
    await startPool();
    const searches = Array.from({ length: 50 }, (_, i) => pool.search(headerWith(i), hopeless));
    searches.push(pool.search(headerWith(99), easy));
    const kinds = (await Promise.all(searches)).map((result) => result.kind);
    expect(kinds).toEqual([...Array.from({ length: 50 }, () => 'cancelled'), 'found']);
  });

  it('tries every nonce exactly once before it says exhausted', async () => {
    await startPool({ threads: 3, nonces: 100_003 });
    expect(await pool.search(headerWith(5), hopeless)).toEqual({ kind: 'exhausted' });
    expect(pool.hashesDone).toBe(100_003);
  });

  it('replaces a thread that crashes, which goes on where it stood', async () => {
    const nonces = 4_000_000;
    await startPool({ threads: 1, nonces });
    const search = pool.search(headerWith(6), hopeless);
    await hashing();
    await workers[0]!.terminate();
    expect(await search).toEqual({ kind: 'exhausted' });
    expect(workers.length).toBe(2);
    expect(logged).toContainEqual(
      expect.objectContaining({ level: 50, msg: 'Mining thread 0 crashed and was replaced' }),
    );
    // At most the chunk in hand was done twice.
    expect(pool.hashesDone).toBeGreaterThanOrEqual(nonces);
    expect(pool.hashesDone).toBeLessThan(1.5 * nonces);
  });

  it('fails the search when every thread keeps crashing, and starts anew when asked', async () => {
    // Each thread ends as soon as it is made, before it has done anything.
    const endAtOnce = (worker: Worker): void => void worker.terminate();
    process.on('worker', endAtOnce);
    try {
      await startPool({ threads: 1 });
      await expect(pool.search(headerWith(7), hopeless)).rejects.toThrow('every mining thread has crashed');
    } finally {
      process.off('worker', endAtOnce);
    }
    expect(workers.length).toBe(4);
    await expect(pool.search(headerWith(7), easy)).rejects.toThrow('no mining thread runs');
    await pool.start();
    expect(await pool.search(headerWith(7), easy)).toMatchObject({ kind: 'found' });
  });

  it('cancels when it is stopped, and can be started again', async () => {
    await startPool();
    const search = pool.search(headerWith(8), hopeless);
    await pool.stop();
    expect(await search).toEqual({ kind: 'cancelled' });
    await pool.start();
    expect(await pool.search(headerWith(8), easy)).toMatchObject({ kind: 'found' });
  });

  it('does not slow down the thread that it was started from', async () => {
    const { getPriority } = await import('node:os');
    const before = getPriority();
    await startPool();
    await pool.search(headerWith(9), easy);
    expect(getPriority()).toBe(before);
  });
});
