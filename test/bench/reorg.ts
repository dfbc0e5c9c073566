import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/common/clock.js';
import { MAX_BLOCK_TRANSACTIONS, type Block } from '../../src/consensus/block.js';
import type { VerifiedBlock } from '../../src/consensus/verify-block.js';
import { genesisNode, mineChain, mineOn, openChain, type TestChain } from '../support/chain-builders.js';
import { waitFor } from '../support/wait.js';
import { median, type Report } from './report.js';
import { TurnWatch } from './turn-watch.js';

const DEPTH = 12;
const ENTRIES = MAX_BLOCK_TRANSACTIONS - 1;
const ROUNDS = 3;

interface Measured {
  /** The call that takes in the block which tips the balance. */
  readonly acceptMs: number;
  /** The longest turn of the event loop from that call until the mempool is settled (see TurnWatch). */
  readonly longestStallMs: number;
  readonly settledMs: number;
}

/** A reorganisation of 12 blocks with 9,999 entries each on both sides, and what it does to the event loop. */
export async function run(): Promise<Report> {
  const mine = branch('mine', DEPTH);
  const theirs = branch('theirs', DEPTH + 1);
  const watch = new TurnWatch();
  const single: number[] = [];
  const rounds: Measured[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const dataDir = mkdtempSync(join(tmpdir(), 'minichain-bench-'));
    const node = openChain({ dataDir, clock: systemClock, limits: { maxTransactions: 1_000_000, maxBytes: 2 ** 31 } });
    try {
      for (const block of mine) single.push(watch.measure(() => void node.chain.accept(block)).heldMs);
      for (const block of theirs.slice(0, -1)) node.chain.accept(block);
      rounds.push(await reorganise(node, theirs.at(-1)!));
    } finally {
      node.close();
      rmSync(dataDir, { recursive: true });
    }
  }
  const baseline = median(single);
  const row = (label: string, value: number) => ({ label, value, unit: 'ms', ratio: value / baseline });
  return {
    name: `a reorganisation of ${DEPTH} blocks with ${ENTRIES} entries each`,
    rows: [
      row('accept of the block that makes the other branch active', median(rounds.map(({ acceptMs }) => acceptMs))),
      row('longest turn of the event loop until all is settled', median(rounds.map((each) => each.longestStallMs))),
      row('until every entry is in its place', median(rounds.map(({ settledMs }) => settledMs))),
      { label: 'accept of one such block on the tip, verified before (baseline)', value: baseline, unit: 'ms' },
    ],
  };
}

function branch(name: string, length: number): VerifiedBlock[] {
  const node = openChain();
  const { chain } = node;
  const blocks: Block[] = [];
  const entriesAt = (index: number): string[] =>
    Array.from({ length: ENTRIES }, (_, position) => `${name} ${index} ${position} ${'x'.repeat(40)}`);
  mineChain(genesisNode(), length - 1, entriesAt).blocks.forEach((block) => blocks.push(block));
  const verified = blocks.map((block) => chain.verify(block));
  for (const block of verified) chain.accept(block);
  verified.push(chain.verify(mineOn(chain.tip, [])));
  node.close();
  return verified;
}

async function reorganise({ chain, mempool }: TestChain, last: VerifiedBlock): Promise<Measured> {
  const watch = new TurnWatch();
  watch.start();
  const startMs = performance.now();
  const acceptMs = watch.measure(() => void chain.accept(last)).heldMs;
  await waitFor('the mempool is settled', async () => !mempool.isSettling, 60_000);
  const settledMs = performance.now() - startMs;
  return { acceptMs, longestStallMs: watch.stop().heldMs, settledMs };
}
