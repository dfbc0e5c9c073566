import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { accept, mineOn, openChain, type TestChain } from '../../test/support/chain-builders.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';

/** A full half minute. */
const START_SECONDS = Date.UTC(2026, 5, 1) / 1000;

let clock: VirtualClock;

beforeEach(() => {
  clock = new VirtualClock(START_SECONDS * 1000);
});

function open(): TestChain {
  const node = openChain({ clock });
  onTestFinished(() => node.close());
  return node;
}

async function gauge({ registry }: TestChain, name: string): Promise<number> {
  return (await registry.getSingleMetric(`minichain_chain_${name}`)!.get()).values[0]!.value;
}

/** The last 12 hex digits of a hash. */
function shown(fingerprint: number): string {
  return fingerprint.toString(16).padStart(12, '0');
}

describe('fingerprint of the tip', () => {
  it('is the end of its hash, and survives being a sample', async () => {
    const node = open();
    for (let height = 1; height <= 50; height++) {
      const block = mineOn(node.chain.tip);
      accept(node.chain, block);
      const text = await node.registry.getSingleMetricAsString('minichain_chain_tip_fingerprint');
      const sample = /^minichain_chain_tip_fingerprint (\d+)$/m.exec(text)?.[1];
      expect(shown(Number(sample))).toBe(block.hash.slice(-12));
    }
  });
});

describe('settled fingerprint', () => {
  it('is of the last block before the half minute that is 15 s past', async () => {
    const node = open();
    const { chain } = node;
    const hashes = [-40, -30, -29, -20, -10, 0].map((seconds) => {
      const block = mineOn(chain.tip, [], { time: START_SECONDS + seconds });
      accept(chain, block);
      return block.hash.slice(-12);
    });
    const settled = async (): Promise<string> => shown(await gauge(node, 'settled_fingerprint'));
    expect(await settled()).toBe(hashes[1]);
    await clock.advance(14_000);
    expect(await settled()).toBe(hashes[1]);
    await clock.advance(1_000);
    expect(await settled()).toBe(hashes[5]);
  });

  it('is the same on nodes of which one has the newest blocks already, and another one on another branch', async () => {
    const [first, behind, elsewhere] = [open(), open(), open()];
    const old = [-60, -50].map((seconds) => {
      const block = mineOn(first.chain.tip, [], { time: START_SECONDS + seconds });
      for (const { chain } of [first, behind]) accept(chain, block);
      return block;
    });
    accept(elsewhere.chain, old[0]!);
    accept(elsewhere.chain, mineOn(elsewhere.chain.tip, [], { time: START_SECONDS - 50 }));
    for (let ahead = 14; ahead > 0; ahead--) {
      accept(first.chain, mineOn(first.chain.tip, [], { time: START_SECONDS - ahead }));
    }
    const [a, b, c] = await Promise.all([first, behind, elsewhere].map((node) => gauge(node, 'settled_fingerprint')));
    expect(a).toBe(b);
    expect(a).not.toBe(c);
    expect(await gauge(first, 'tip_fingerprint')).not.toBe(await gauge(behind, 'tip_fingerprint'));
  });

  it('is of the genesis while there is nothing older', async () => {
    const node = open();
    expect(shown(await gauge(node, 'settled_fingerprint'))).toBe(node.chain.genesis.hash.slice(-12));
  });
});

it('counters begin at 0, so that the first event counts', async () => {
  const text = await open().registry.metrics();
  for (const series of [
    'blocks_accepted_total{outcome="orphan"}',
    'blocks_rejected_total{code="time-too-new"}',
    'reorgs_refused_total{reason="checkpoint"}',
    'block_accept_duration_seconds_count{call="batch"}',
    'mempool_added_total{source="reorg"}',
    'mempool_refused_total{reason="full"}',
  ]) {
    expect(text).toContain(`minichain_${series} 0\n`);
  }
});
