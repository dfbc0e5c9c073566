import { createHash, hash, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { pino } from 'pino';
import { bitsOfDifficulty } from '../../src/consensus/target.js';
import { HashPool } from '../../src/miner/hash-pool.js';
import { encodeTarget } from '../../src/miner/hasher.js';
import { createKernel, loadKernel, type KernelKind } from '../../src/miner/kernel/kernel.js';
import { percentile, type Report, type Row } from './report.js';

const ROUNDS = 9;
const ROUND_MS = 200;
const WARM_UP_MS = 500;
const CANCELS = 300;

const easy = encodeTarget(bitsOfDifficulty(0));
const hopeless = encodeTarget(bitsOfDifficulty(63));
const header = randomBytes(80);

/** Tries `count` nonces from `start`. */
type Contender = (start: number, count: number) => void;

function kernel(kind: KernelKind): Contender {
  const loaded = createKernel(loadKernel(kind));
  loaded.setJob(header, hopeless);
  return (start, count) => void loaded.scan(start, count);
}

/** What a miner would do that knows nothing but node:crypto. */
function plain(sha256: (bytes: Uint8Array) => Buffer): Contender {
  return (start, count) => {
    for (let nonce = start; nonce < start + count; nonce++) {
      header.writeUInt32LE(nonce, 76);
      if (sha256(sha256(header)).readUInt32LE(28) === 0xffff_ffff) throw new Error('unexpected');
    }
  };
}

/** Hashes per second of CPU time, which other processes on the machine disturb less than wall time. */
function rateOf(scan: Contender, forMs: number): number {
  const before = process.cpuUsage();
  const endMs = performance.now() + forMs;
  let hashes = 0;
  while (performance.now() < endMs) {
    scan(hashes, 4096);
    hashes += 4096;
  }
  const { user, system } = process.cpuUsage(before);
  return (hashes * 1e6) / (user + system);
}

/** Interleaved, so that a slow minute of the machine hits all alike. */
function measureRates(): Row[] {
  const contenders: Record<string, Contender> = {
    'WASM SIMD kernel': kernel('simd'),
    'WASM scalar kernel': kernel('scalar'),
    'node:crypto kernel': kernel('crypto'),
    'crypto.hash': plain((bytes) => hash('sha256', bytes, 'buffer')),
    'crypto.createHash': plain((bytes) => createHash('sha256').update(bytes).digest()),
  };
  const rates = new Map<string, number[]>();
  for (const [label, scan] of Object.entries(contenders)) {
    rateOf(scan, WARM_UP_MS);
    rates.set(label, []);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [label, scan] of Object.entries(contenders)) rates.get(label)!.push(rateOf(scan, ROUND_MS));
  }
  const base = percentile(rates.get('crypto.createHash')!, 0.5);
  return [...rates].map(([label, values]) => {
    const value = percentile(values, 0.5);
    return { label, value: Math.round(value), unit: 'hashes per CPU second', ratio: value / base };
  });
}

/** From a new search to its first result, when the threads are idle, and when they have to leave another one first. */
async function measureCancel(): Promise<Row[]> {
  const threads = Math.max(1, availableParallelism() - 1);
  const pool = new HashPool({ threads, log: pino({ level: 'silent' }) });
  await pool.start();
  const latencies = { idle: [] as number[], busy: [] as number[] };
  for (let round = -10; round < CANCELS; round++) {
    for (const state of ['idle', 'busy'] as const) {
      if (state === 'busy') {
        void pool.search(randomBytes(80), hopeless);
        // Well into the search, where chunks have their full length.
        const enough = pool.hashesDone + 50_000 * threads;
        while (pool.hashesDone < enough) await new Promise((resolve) => setTimeout(resolve, 3));
      }
      const startMs = performance.now();
      pool.cancel();
      await pool.search(randomBytes(80), easy);
      if (round >= 0) latencies[state].push(performance.now() - startMs);
    }
  }
  await pool.stop();
  return (['idle', 'busy'] as const).flatMap((state) =>
    ([0.5, 0.99] as const).map((q) => ({
      label: `new search to first result, ${threads} thread(s) ${state}, ${q === 0.5 ? 'median' : 'p99'}`,
      value: Math.round(percentile(latencies[state], q) * 1000) / 1000,
      unit: 'ms',
    })),
  );
}

/** The kernels beside plain node:crypto, and how quickly the pool goes from one header to the next. */
export async function run(): Promise<Report> {
  return { name: 'mining', rows: [...measureRates(), ...(await measureCancel())] };
}
