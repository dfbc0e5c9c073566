import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  entry,
  mineChain,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { ForkQueries } from '../chain/fork-queries.js';
import { ChainReports } from './chain-reports.js';
import type { ToldEvent } from './event-feed.js';
import { feedEventSchema, type EntryEvent, type TipEvent } from './event-schemas.js';

let clock: VirtualClock;
let node: TestChain;
let reports: ChainReports;
let told: ToldEvent[];
let isCatchingUp: boolean;

beforeEach(() => {
  clock = new VirtualClock();
  node = openChain({ clock, limits: { maxTransactions: 20_000, maxBytes: 20_000_000 } });
  [told, isCatchingUp] = [[], false];
  const { chain, mempool } = node;
  reports = new ChainReports({
    chain,
    mempool,
    forks: new ForkQueries(chain),
    isCatchingUp: () => isCatchingUp,
    tell: (event) => {
      feedEventSchema.parse({ ...event, atMs: 0 });
      told.push(event);
    },
  });
});

afterEach(() => node.close());

/** What was told since the last call, in few words. */
function words(): string[] {
  return told.splice(0).map((event) => {
    if (event.type === 'block') return `block ${event.block.height} ${event.block.status}`;
    if (event.type === 'tip') return `tip ${event.tip.height}`;
    if (event.type === 'entry') return `${event.count} ${event.state}`;
    return event.type;
  });
}

function only<T extends ToldEvent['type']>(type: T): Extract<ToldEvent, { type: T }>[] {
  return told.filter((event): event is Extract<ToldEvent, { type: T }> => event.type === type);
}

async function post(data: string | string[]): Promise<string[]> {
  const submitted = node.mempool.submitAll([data].flat());
  await clock.advance(0);
  return (await submitted).map(({ id }) => id);
}

describe('ChainReports', () => {
  it('tells of a block, then of the tip, then of its entries', async () => {
    const [id] = await post('hello');
    expect(words()).toEqual(['1 pending']);
    const block = mineOn(node.chain.genesis, [node.mempool.get(id!)!]);
    accept(node.chain, block);
    expect(only('block')).toEqual([
      {
        type: 'block',
        block: {
          height: 1,
          hash: block.hash,
          previousHash: node.chain.genesis.hash,
          status: 'active',
          miner: 'miner',
          entries: 1,
          receivedMs: clock.nowMs(),
          chainWork: expect.stringMatching(/^0{63}2$/),
        },
      },
    ]);
    expect(only('entry')).toEqual([
      {
        type: 'entry',
        state: 'confirmed',
        count: 1,
        ids: [id],
        block: { height: 1, hash: block.hash },
        from: null,
      },
    ]);
    expect(words()).toEqual(['block 1 active', 'tip 1', '1 confirmed']);
  });

  it('says from which peer entries came', async () => {
    const accepted = node.mempool.acceptFromPeer([entry('x')], 'node-7');
    await clock.advance(100);
    await accepted;
    expect(only('entry')).toMatchObject([{ state: 'pending', from: 'node-7', block: null }]);
  });

  it('tells of a reorganisation: depth, fork and entries returned, and what the new branch confirms', async () => {
    const { genesis } = node.chain;
    const [kept] = await post('only on the old branch');
    const both = entry('on both branches');
    accept(node.chain, mineOn(genesis, [node.mempool.get(kept!)!, both]));
    const side = mineOn(genesis, [both, 'new']);
    told.splice(0);
    accept(node.chain, side);
    expect(words()).toEqual(['block 1 side']);
    const previous = node.chain.tip;
    const winner = mineOn(nodeOf(side, genesis));
    accept(node.chain, winner);
    expect(only('tip')).toMatchObject([
      {
        tip: { height: 2, hash: winner.hash },
        previous: { height: 1, hash: previous.hash },
        connected: 2,
        reorg: { depth: 1, fork: { height: 0, hash: genesis.hash }, returned: 1 },
        afterSync: false,
      },
    ]);
    expect(only('entry').at(-1)).toMatchObject({ state: 'returned', ids: [kept] });
    expect(only('entry')[0]).toMatchObject({ state: 'confirmed', count: 2, block: { height: 1, hash: side.hash } });
    expect(words()).toEqual(['block 2 active', 'tip 2', '2 confirmed', '1 returned']);
  });

  it('leaves the number of entries returned open where counting them takes longer', async () => {
    const { genesis } = node.chain;
    const ids = await post(Array.from({ length: 2_500 }, (_, i) => `entry ${i}`));
    accept(
      node.chain,
      mineOn(
        genesis,
        ids.map((id) => node.mempool.get(id)!),
      ),
    );
    await clock.advance(1_000);
    told.splice(0);
    acceptBatch(node.chain, mineChain(genesis, 2).blocks);
    expect(only('tip')).toMatchObject([{ reorg: { depth: 1, returned: null } }]);
    await clock.advance(1_000);
    const returned = only('entry').filter(({ state }) => state === 'returned');
    expect(returned.reduce((sum, { count }) => sum + count, 0)).toBe(2_500);
  });

  it('makes few events of many entries, which name the first of them', async () => {
    const ids = await post(Array.from({ length: 5_000 }, (_, i) => `entry ${i}`));
    const pending = only('entry');
    expect(pending.reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
    expect(pending.length).toBeLessThanOrEqual(10);
    told.splice(0);
    accept(
      node.chain,
      mineOn(
        node.chain.genesis,
        ids.map((id) => node.mempool.get(id)!),
      ),
    );
    await clock.advance(1_000);
    expect(words()).toEqual(['block 1 active', 'tip 1', '5000 confirmed']);
  });

  it('tells of an orphan, and of the blocks that its parent brings', () => {
    const [parent, child] = mineChain(node.chain.genesis, 2).blocks;
    accept(node.chain, child!);
    expect(only('block')).toMatchObject([
      { block: { height: 2, hash: child!.hash, previousHash: parent!.hash, status: 'orphan', chainWork: null } },
    ]);
    expect(words()).toEqual(['block 2 orphan']);
    accept(node.chain, child!);
    expect(words()).toEqual([]);
    accept(node.chain, parent!);
    expect(words()).toEqual(['block 1 active', 'block 2 active', 'tip 2']);
  });

  it('tells of no block during a long sync, and once at its end where it led', () => {
    const { genesis } = node.chain;
    const old = mineChain(genesis, 3);
    acceptBatch(node.chain, old.blocks);
    told.splice(0);
    isCatchingUp = true;
    const { blocks } = mineChain(old.nodes[1]!, 300);
    acceptBatch(node.chain, blocks.slice(0, 200));
    acceptBatch(node.chain, blocks.slice(200));
    expect(words()).toEqual([]);
    isCatchingUp = false;
    reports.syncEnded();
    const fork = { height: 2, hash: old.nodes[1]!.hash };
    expect(only('tip')).toMatchObject([
      { tip: { height: 302 }, connected: 300, reorg: { depth: 1, fork }, afterSync: true },
    ] satisfies object[] as TipEvent[]);
    expect(words()).toEqual(['tip 302']);
    reports.syncEnded();
    accept(node.chain, mineOn(node.chain.tip));
    expect(words()).toEqual(['block 303 active', 'tip 303']);
  });

  it('does not tell twice of a tip that came between the last block and the end of a sync', () => {
    isCatchingUp = true;
    acceptBatch(node.chain, mineChain(node.chain.genesis, 20).blocks);
    isCatchingUp = false;
    accept(node.chain, mineOn(node.chain.tip, ['x']));
    reports.syncEnded();
    const tips = only('tip').map(({ tip, previous, connected }) => [previous.height, tip.height, connected]);
    expect(tips).toEqual([[0, 21, 21]]);
  });

  it('tells nothing after its end', async () => {
    reports.stop();
    await post('x');
    accept(node.chain, mineOn(node.chain.genesis));
    expect(told).toEqual([]);
  });

  it('names at most 100 ids', async () => {
    await post(Array.from({ length: 300 }, (_, i) => `entry ${i}`));
    const [event] = only('entry') as EntryEvent[];
    expect([event?.count, event?.ids.length]).toEqual([300, 100]);
  });
});
