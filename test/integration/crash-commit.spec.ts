import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createParams } from '../../src/consensus/params.js';
import type { Block } from '../../src/consensus/block.js';
import {
  accept,
  acceptBatch,
  chainData,
  entry,
  mineChain,
  mineOn,
  nodeOf,
  openChain,
} from '../support/chain-builders.js';
import { temporaryDirectory } from '../support/temp-dir.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { unfinishedPages } from '../support/write-ahead-log.js';

const params = createParams({ network: 'minichain', difficulty: 0 });

/** Takes in blocks in a process that kills itself inside the commit. @returns the signal that ended it. */
async function dieWhileTaking(dataDir: string, blocks: readonly Block[], trigger: string): Promise<unknown> {
  const file = join(dataDir, 'blocks.json');
  writeFileSync(file, JSON.stringify(blocks.map(({ bytes }) => bytes.toString('hex'))));
  const child = spawn(
    process.execPath,
    [resolve('test/crash/dies-in-commit.mjs'), resolve('.'), dataDir, file, trigger],
    {
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return signal;
}

describe('a process killed inside the commit of a reorganisation', () => {
  it.each([
    ['when the block is written', 'INSERT ON main.blocks'],
    ['when half of its entries are indexed', 'INSERT ON main.entries WHEN new.place % 1048576 > 60000'],
    ['when the tip has moved', 'INSERT ON main.chain_tip'],
    ['when half of the moved blocks are noted', 'INSERT ON main.unsettled_blocks WHEN new.block_id = 20'],
    ['when all is written and nothing committed', 'at the end'],
  ])('%s comes back with the old branch whole', async (_when, trigger) => {
    const dataDir = temporaryDirectory();
    const node = openChain({ dataDir, params });
    const shared = entry('in both');
    const mine = mineChain(node.chain.genesis, 40, (index) =>
      index === 3 ? [shared] : [`mine ${index} ${'x'.repeat(4_000)}`],
    );
    acceptBatch(node.chain, mine.blocks);
    const theirs = mineChain(node.chain.genesis, 40, (index) =>
      index === 30 ? [shared] : [`theirs ${index} ${'y'.repeat(4_000)}`],
    );
    const last = mineOn(
      theirs.nodes[39]!,
      Array.from({ length: 10 }, (_, index) => `the last ${index} ${'z'.repeat(12_000)}`),
    );
    acceptBatch(node.chain, theirs.blocks);
    const before = { tip: node.chain.tip.hash, work: node.chain.tip.chainWork, data: chainData(node.chain) };
    node.close();

    expect(await dieWhileTaking(dataDir, [last], trigger)).toBe('SIGKILL');
    if (trigger === 'at the end') expect(unfinishedPages(join(dataDir, 'node.db-wal'))).toBeGreaterThan(0);

    const clock = new VirtualClock();
    const after = openChain({ dataDir, params, clock });
    try {
      const { chain, mempool, database } = after;
      expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
      expect({ tip: chain.tip.hash, work: chain.tip.chainWork, data: chainData(chain) }).toEqual(before);
      expect(mempool.ids()).toEqual([]);
      expect(accept(chain, last)).toMatchObject({ kind: 'reorganised', depth: 40 });
      expect(chain.tip.hash).toBe(nodeOf(last, theirs.nodes[39]!).hash);
      await clock.until('the mempool is settled', () => !mempool.isSettling, 10_000);
      expect(mempool.size).toBe(39);
      expect(mempool.has(shared.id)).toBe(false);
    } finally {
      after.close();
    }
  });
});
