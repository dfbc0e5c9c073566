import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../src/common/clock.js';
import type { Block } from '../../src/consensus/block.js';
import { accept, acceptBatch, genesisNode, mineChain, openChain } from '../support/chain-builders.js';
import { median, type Report } from './report.js';

const BLOCKS = 10_000;
const BATCH = 200;
const SINGLES = 2_000;
const SUBMISSIONS = 5_000;
/** As many posters at once as the HTTP bench has connections. */
const POSTERS = 32;
const ROUNDS = 5;

/** How fast blocks and entries get to disk: real SQLite in a temporary directory, medians of several rounds. */
export async function run(): Promise<Report> {
  const { blocks } = mineChain(genesisNode(), BLOCKS, (index) => [`entry ${index}`]);
  const batch: number[] = [];
  const single: number[] = [];
  const boot: number[] = [];
  const grouped: number[] = [];
  const oneByOne: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await inTemporaryDirectory(async (dataDir) => {
      batch.push(BLOCKS / secondsOf(() => acceptInBatches(dataDir, blocks)));
      boot.push(1000 * secondsOf(() => openChain({ dataDir }).close()));
    });
    await inTemporaryDirectory(async (dataDir) => {
      single.push(SINGLES / secondsOf(() => acceptOneByOne(dataDir, blocks.slice(0, SINGLES))));
    });
    await inTemporaryDirectory(async (dataDir) => void grouped.push(await submitRate(dataDir, POSTERS)));
    await inTemporaryDirectory(async (dataDir) => void oneByOne.push(await submitRate(dataDir, 1, flushAtOnce)));
  }
  return {
    name: 'chain and mempool on disk',
    rows: [
      {
        label: `acceptBatch of ${BATCH}`,
        value: median(batch),
        unit: 'blocks/s',
        ratio: median(batch) / median(single),
      },
      { label: 'accept one by one', value: median(single), unit: 'blocks/s' },
      { label: `boot at ${BLOCKS} blocks`, value: median(boot), unit: 'ms' },
      {
        label: `submit, ${POSTERS} at once, grouped commits`,
        value: median(grouped),
        unit: 'entries/s',
        ratio: median(grouped) / median(oneByOne),
      },
      { label: 'submit, a commit each', value: median(oneByOne), unit: 'entries/s' },
    ],
  };
}

function acceptInBatches(dataDir: string, blocks: readonly Block[]): void {
  const node = openChain({ dataDir });
  for (let start = 0; start < blocks.length; start += BATCH) {
    const { error } = acceptBatch(node.chain, blocks.slice(start, start + BATCH));
    if (error !== undefined) throw error;
  }
  node.close();
}

function acceptOneByOne(dataDir: string, blocks: readonly Block[]): void {
  const node = openChain({ dataDir });
  for (const block of blocks) accept(node.chain, block);
  node.close();
}

/** A commit at once, for each entry by itself: what grouping is measured against. */
const flushAtOnce: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(_delayMs, task) {
    queueMicrotask(task);
    return { cancel: () => undefined };
  },
};

async function submitRate(dataDir: string, posters: number, clock: Clock = systemClock): Promise<number> {
  const limits = { maxTransactions: SUBMISSIONS, maxBytes: 100_000_000 };
  const node = openChain({ dataDir, clock, limits });
  // The clock's timers do not keep the process alive.
  const keepAlive = setInterval(() => undefined, 1000);
  const start = performance.now();
  let left = SUBMISSIONS;
  const post = async (): Promise<void> => {
    while (left-- > 0) await node.mempool.submit('x'.repeat(100));
  };
  await Promise.all(Array.from({ length: posters }, post));
  const seconds = (performance.now() - start) / 1000;
  clearInterval(keepAlive);
  node.close();
  return SUBMISSIONS / seconds;
}

async function inTemporaryDirectory(work: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'minichain-bench-'));
  try {
    await work(dataDir);
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}

function secondsOf(work: () => void): number {
  const start = performance.now();
  work();
  return (performance.now() - start) / 1000;
}
