import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  accept,
  chainData,
  entry,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Random } from '../common/random.js';
import type { MineEmptyBlocks, NodeConfig } from '../config/node-config.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { decodeHeader, type BlockHeader } from '../consensus/header.js';
import { createParams, type ConsensusParams } from '../consensus/params.js';
import { DatabaseBusyError } from '../storage/storage-errors.js';
import type { Hasher, SearchResult } from './hasher.js';
import { InlineHasher } from './inline-hasher.js';
import type { MinerEventMap } from './miner.events.js';
import { MinerMetrics } from './miner.metrics.js';
import { MinerService, MinerStoppedError } from './miner.service.js';

/** Holds each search until the test says what becomes of it. */
class HeldHasher implements Hasher {
  readonly headers: BlockHeader[] = [];
  hashesDone = 0;
  isStopped = false;
  #held:
    | { header: Buffer; target: Buffer; resolve: (result: SearchResult) => void; reject: (error: Error) => void }
    | undefined;

  async start(): Promise<void> {}

  limit(): void {}

  search(header: Buffer, target: Buffer): Promise<SearchResult> {
    this.headers.push(decodeHeader(header));
    return new Promise((resolve, reject) => {
      this.#held = { header, target, resolve, reject };
    });
  }

  cancel(): void {
    this.end({ kind: 'cancelled' });
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.cancel();
  }

  get isSearching(): boolean {
    return this.#held !== undefined;
  }

  async find(): Promise<void> {
    this.end(await new InlineHasher().search(this.#held!.header, this.#held!.target));
    await settled();
  }

  end(result: SearchResult): void {
    this.#held?.resolve(result);
    this.#held = undefined;
  }

  fail(error: Error): void {
    this.#held?.reject(error);
    this.#held = undefined;
  }
}

interface Rig<H extends Hasher> extends TestChain {
  readonly hasher: H;
  readonly miner: MinerService;
  readonly logged: { readonly level: number; readonly msg: string; readonly retryMs?: number }[];
  /** Lets time pass, and all that follows from it happen. */
  pass(ms: number): Promise<void>;
  post(...data: string[]): Promise<void>;
  metric(name: string, labels?: string): Promise<string | undefined>;
}

interface RigOptions {
  readonly auto?: boolean;
  readonly emptyBlocks?: MineEmptyBlocks;
  readonly params?: ConsensusParams;
  /** What random numbers come out as, 0 to 1. */
  readonly random?: number;
  readonly clock?: VirtualClock;
}

const closers: (() => Promise<void>)[] = [];

function startMiner<H extends Hasher>(hasher: H, options: RigOptions = {}): Rig<H> {
  const { auto = true, emptyBlocks = 'on_tie', params, random: next = 0.5, clock = new VirtualClock() } = options;
  const node = openChain(params === undefined ? { clock } : { clock, params });
  const config = {
    node: { nodeId: 'node-1' },
    blockchain: { autoMine: auto, mineEmptyBlocks: emptyBlocks, maxHashRate: 0 },
  } as NodeConfig;
  const random: Random = { next: () => next, bytes: (length) => Buffer.alloc(length, 0xff) };
  const logged: Rig<H>['logged'] = [];
  const log = pino({ level: 'info' }, { write: (line) => void logged.push(JSON.parse(line)) });
  const { chain, mempool, faults, registry } = node;
  const metrics = new MinerMetrics(registry);
  const miner = new MinerService(config, clock, random, log, hasher, chain, mempool, faults, metrics);
  miner.onApplicationBootstrap();
  closers.push(async () => {
    await miner.beforeApplicationShutdown();
    node.close();
  });
  return {
    ...node,
    hasher,
    miner,
    logged,
    pass: (ms) => clock.advance(ms),
    async post(...data) {
      const submitted = Promise.all(data.map((item) => mempool.submit(item)));
      await clock.advance(0);
      await submitted;
    },
    async metric(name, labels = '') {
      const lines = (await registry.metrics()).split('\n');
      return lines.find((line) => line.startsWith(`minichain_miner_${name}${labels} `))?.split(' ')[1];
    },
  };
}

async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Gives the chain two tips of equal work on its genesis; the first one is the active tip. */
function makeTie({ chain }: TestChain): [BlockNode, BlockNode] {
  const blocks = [mineOn(chain.genesis), mineOn(chain.genesis)];
  for (const block of blocks) accept(chain, block);
  return blocks.map((block) => nodeOf(block, chain.genesis)) as [BlockNode, BlockNode];
}

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

describe('auto mining', () => {
  it('mines what is posted, in order, and then rests', async () => {
    const rig = startMiner(new InlineHasher());
    await rig.post('a', 'b', 'c');
    expect(chainData(rig.chain)).toEqual(['a', 'b', 'c']);
    expect(rig.chain.tip.height).toBe(1);
    expect(rig.chain.getBlock(rig.chain.tip.hash)!.transactions[0]).toMatchObject({
      kind: 'coinbase',
      miner: 'node-1',
    });
    await rig.pass(60_000);
    expect(rig.chain.tip.height).toBe(1);
    expect(rig.miner.status).toMatchObject({ auto: true, active: false });
    expect(await rig.metric('blocks_mined_total')).toBe('1');
  });

  it('mines what was in the mempool before it started', async () => {
    const rig = startMiner(new InlineHasher());
    rig.miner.setPaused('test', true);
    await rig.post('a');
    rig.miner.setPaused('test', false);
    await settled();
    expect(chainData(rig.chain)).toEqual(['a']);
  });

  it('mines nothing when it is off', async () => {
    const rig = startMiner(new HeldHasher(), { auto: false });
    await rig.post('a');
    makeTie(rig);
    await rig.pass(60_000);
    expect(rig.hasher.headers).toEqual([]);
    expect(rig.miner.status).toMatchObject({ auto: false, active: false });
  });

  it('stops when it is paused', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    expect(rig.miner.status).toMatchObject({ auto: true, active: true });
    rig.miner.setPaused('test', true);
    await settled();
    expect(rig.miner.status).toMatchObject({ auto: true, active: false });
    expect(rig.hasher.isSearching).toBe(false);
  });

  it('mines empty blocks all the time with mine_empty_blocks = "always"', async () => {
    const rig = startMiner(new InlineHasher(), { emptyBlocks: 'always' });
    while (rig.chain.tip.height < 5) await settled();
    rig.miner.setPaused('test', true);
    await settled();
    const { height } = rig.chain.tip;
    await settled();
    expect(rig.chain.tip.height).toBe(height);
  });
});

describe('what was posted to other nodes', () => {
  const fromPeer = async (rig: Rig<Hasher>, ...data: string[]): Promise<void> => {
    const accepted = rig.mempool.acceptFromPeer(data.map(entry), 'node-2');
    await rig.pass(0);
    await accepted;
  };

  it.each([
    [0, 300],
    [0.75, 750],
  ])('is mined only after a random wait (random number %s: after %s ms)', async (random, delayMs) => {
    const rig = startMiner(new InlineHasher(), { random });
    await fromPeer(rig, 'theirs');
    await rig.pass(delayMs - 1);
    expect(chainData(rig.chain)).toEqual([]);
    await rig.pass(1);
    expect(chainData(rig.chain)).toEqual(['theirs']);
  });

  it('is mined at once together with what was posted here', async () => {
    const rig = startMiner(new InlineHasher());
    await fromPeer(rig, 'theirs');
    await rig.post('ours');
    expect(chainData(rig.chain)).toEqual(['theirs', 'ours']);
  });

  it('is left to them when they mine it in time', async () => {
    const rig = startMiner(new InlineHasher());
    const theirs = entry('theirs');
    const accepted = rig.mempool.acceptFromPeer([theirs], 'node-2');
    await rig.pass(0);
    await accepted;
    await rig.pass(200);
    accept(rig.chain, mineOn(rig.chain.tip, [theirs]));
    await rig.pass(5_000);
    expect(rig.chain.tip.height).toBe(1);
    expect(await rig.metric('blocks_mined_total')).toBe('0');
  });

  it('has a wait of its own after each new tip', async () => {
    const rig = startMiner(new InlineHasher(), { random: 0.5 });
    await fromPeer(rig, 'theirs');
    await rig.pass(500);
    accept(rig.chain, mineOn(rig.chain.tip, []));
    await rig.pass(599);
    expect(chainData(rig.chain)).toEqual([]);
    await rig.pass(1);
    expect(chainData(rig.chain)).toEqual(['theirs']);
  });
});

describe('mining on request', () => {
  it('mines exactly as many blocks as asked for, with what the mempool has', async () => {
    const rig = startMiner(new InlineHasher(), { auto: false });
    await rig.post('a', 'b');
    const mined = await rig.miner.mine(3);
    expect(mined.map(({ height }) => height)).toEqual([1, 2, 3]);
    expect(mined.at(-1)).toBe(rig.chain.tip);
    expect(rig.chain.getBlocks(1, 3).map(({ transactions }) => transactions.length)).toEqual([3, 1, 1]);
    await settled();
    expect(rig.chain.tip.height).toBe(3);
  });

  it('serves several requests in turn, block by block', async () => {
    const rig = startMiner(new InlineHasher(), { auto: false });
    const [first, second, third] = await Promise.all([rig.miner.mine(2), rig.miner.mine(1), rig.miner.mine(2)]);
    expect([first, second, third].map((nodes) => nodes.map(({ height }) => height))).toEqual([[1, 4], [2], [3, 5]]);
  });

  it('takes the block that is searched for anyway as the one asked for', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    const mined = rig.miner.mine(1);
    await rig.hasher.find();
    expect(await mined).toEqual([rig.chain.tip]);
    expect(rig.hasher.isSearching).toBe(false);
    expect(rig.hasher.headers.length).toBe(1);
  });

  it('starts over on the new tip when somebody else was faster', async () => {
    const rig = startMiner(new HeldHasher(), { auto: false });
    const mined = rig.miner.mine(1);
    await settled();
    accept(rig.chain, mineOn(rig.chain.genesis));
    await settled();
    await rig.hasher.find();
    expect((await mined).map(({ height }) => height)).toEqual([2]);
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses to mine %s blocks', async (blocks) => {
    await expect(startMiner(new InlineHasher()).miner.mine(blocks)).rejects.toThrow(RangeError);
  });
});

describe('ties', () => {
  it.each([
    [0, 2000],
    [0.5, 4000],
  ])('ends a tie by one empty block (random number %s: after %s ms)', async (random, delayMs) => {
    const rig = startMiner(new InlineHasher(), { random });
    const [active] = makeTie(rig);
    await rig.pass(delayMs - 1);
    expect(rig.chain.tip.hash).toBe(active.hash);
    await rig.pass(1);
    expect(rig.chain.tip.parent!.hash).toBe(active.hash);
    await rig.pass(60_000);
    expect(rig.chain.tip.height).toBe(2);
  });

  it('leaves it when the tie is gone before', async () => {
    const rig = startMiner(new HeldHasher());
    const [active] = makeTie(rig);
    await rig.pass(3999);
    accept(rig.chain, mineOn(active));
    await rig.pass(60_000);
    expect(rig.hasher.headers).toEqual([]);
  });

  it('gives up its search when somebody else ends the tie', async () => {
    const rig = startMiner(new HeldHasher());
    const [, other] = makeTie(rig);
    await rig.pass(4000);
    expect(rig.hasher.isSearching).toBe(true);
    accept(rig.chain, mineOn(other));
    await rig.pass(60_000);
    expect(rig.hasher.isSearching).toBe(false);
    expect(rig.hasher.headers.length).toBe(1);
  });

  it('waits anew when one tie follows another', async () => {
    const rig = startMiner(new HeldHasher());
    const [active, other] = makeTie(rig);
    await rig.pass(3000);
    for (const parent of [active, other]) accept(rig.chain, mineOn(parent));
    await rig.pass(3999);
    expect(rig.hasher.headers).toEqual([]);
    await rig.pass(1);
    expect(rig.hasher.headers.length).toBe(1);
  });

  it('mines at once when there is something to mine', async () => {
    const rig = startMiner(new InlineHasher());
    makeTie(rig);
    await rig.post('a');
    expect(rig.chain.tip.height).toBe(2);
    expect(chainData(rig.chain)).toEqual(['a']);
  });

  it.each([{ emptyBlocks: 'never' as const }, { auto: false }])('stays tied with %j', async (options) => {
    const rig = startMiner(new InlineHasher(), options);
    const [active] = makeTie(rig);
    await rig.pass(60_000);
    expect(rig.chain.tip.hash).toBe(active.hash);
  });
});

describe('a search', () => {
  it('is given up for one on the new tip', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    const other = mineOn(rig.chain.genesis);
    accept(rig.chain, other);
    await settled();
    expect(rig.hasher.headers.map(({ previousHash }) => previousHash)).toEqual([rig.chain.genesis.hash, other.hash]);
    expect(await rig.metric('searches_total', '{result="stale"}')).toBe('1');
    await rig.hasher.find();
    expect(rig.chain.tip.height).toBe(2);
    expect(chainData(rig.chain)).toEqual(['a']);
  });

  it('takes in new transactions, but not more often than every 250 ms', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    await rig.pass(100);
    await rig.post('b');
    await rig.pass(50);
    await rig.post('c');
    await rig.pass(99);
    expect(rig.hasher.headers.length).toBe(1);
    await rig.pass(1);
    expect(rig.hasher.headers.length).toBe(2);
    await rig.pass(10_000);
    expect(rig.hasher.headers.length).toBe(2);
    await rig.hasher.find();
    expect(chainData(rig.chain)).toEqual(['a', 'b', 'c']);
    expect(rig.chain.tip.height).toBe(1);
    expect(await rig.metric('searches_total', '{result="refreshed"}')).toBe('1');
  });

  it('takes in a late transaction at once when it is long under way', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    await rig.pass(10_000);
    await rig.post('b');
    await rig.pass(0);
    expect(rig.hasher.headers.length).toBe(2);
  });

  it('goes on undisturbed when the block has no room for what came in', async () => {
    const rig = startMiner(new HeldHasher(), {
      params: createParams({ network: 'test', difficulty: 0, maxBlockBytes: 32_768 }),
    });
    await rig.post('x'.repeat(16_000), 'y'.repeat(16_000));
    await rig.post('z'.repeat(1000));
    await rig.pass(10_000);
    expect(rig.hasher.headers.length).toBe(1);
  });

  it('goes on with another header when its nonces are exhausted', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    rig.hasher.end({ kind: 'exhausted' });
    await settled();
    const [first, second] = rig.hasher.headers;
    expect(second!.merkleRoot).not.toBe(first!.merkleRoot);
    await rig.hasher.find();
    expect(chainData(rig.chain)).toEqual(['a']);
    expect(await rig.metric('searches_total', '{result="exhausted"}')).toBe('1');
  });

  it('is not begun while mining is paused for any reason', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    rig.miner.setPaused('sync', true);
    rig.miner.setPaused('other', true);
    await settled();
    expect(rig.hasher.isSearching).toBe(false);
    const mined = rig.miner.mine(1);
    rig.miner.setPaused('other', false);
    makeTie(rig);
    await rig.pass(60_000);
    expect(rig.hasher.headers.length).toBe(1);
    rig.miner.setPaused('sync', false);
    await settled();
    await rig.hasher.find();
    expect((await mined).map(({ height }) => height)).toEqual([2]);
  });
});

describe('faults', () => {
  const errors = (rig: Rig<Hasher>) => rig.logged.filter(({ level }) => level === 50);
  const DELAYS_MS = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];

  it('goes on once blocks can be stored again', async () => {
    const rig = startMiner(new InlineHasher());
    rig.miner.setPaused('test', true);
    await rig.post('a');
    rig.database.pragma('query_only = 1');
    rig.miner.setPaused('test', false);
    await rig.pass(999);
    expect(errors(rig)).toEqual([
      expect.objectContaining({ msg: 'Mining failed; next attempt in 1 s', retryMs: 1000 }),
    ]);
    rig.database.pragma('query_only = 0');
    await rig.pass(1);
    expect(chainData(rig.chain)).toEqual(['a']);
    expect(await rig.metric('blocks_lost_total', '{reason="fault"}')).toBe('1');
  });

  it('keeps a block that was found under the lock of another program, and stores it afterwards', async () => {
    const rig = startMiner(new HeldHasher(), { auto: false });
    const { chain } = rig;
    const accepting = vi.spyOn(chain, 'accept');
    const locked = (): never => {
      throw new DatabaseBusyError('node.db');
    };
    accepting.mockImplementationOnce(locked).mockImplementationOnce(locked);
    const ends: string[] = [];
    rig.miner.events.on('found', () => ends.push('found'));
    rig.miner.events.on('cancelled', ({ end }) => ends.push(end));
    const refused = rig.miner.mine(1).catch((error: Error) => error.message);
    await settled();
    await rig.hasher.find();
    expect(await refused).toContain('another program holds a lock');
    rig.miner.setPaused('sync', true);
    await rig.pass(1_000);
    expect([chain.tip.height, ends]).toEqual([0, []]);
    await rig.pass(1_000);
    expect([chain.tip.height, ends]).toEqual([1, ['found']]);
    expect(accepting.mock.calls.map(([block]) => block.hash)).toEqual(Array(3).fill(chain.tip.hash));
    expect(rig.hasher.headers).toHaveLength(1);
    expect(await rig.metric('blocks_lost_total', '{reason="fault"}')).toBe('0');
  });

  it('drops such a block when somebody else has mined one in its place, or the node stops', async () => {
    const rig = startMiner(new HeldHasher(), { auto: false });
    const ends: string[] = [];
    rig.miner.events.on('cancelled', ({ end }) => ends.push(end));
    const lose = async (): Promise<void> => {
      vi.spyOn(rig.chain, 'accept').mockImplementationOnce(() => {
        throw new DatabaseBusyError('node.db');
      });
      const refused = rig.miner.mine(1).catch((error: Error) => error.message);
      await settled();
      await rig.hasher.find();
      expect(await refused).toContain('another program holds a lock');
    };
    await lose();
    accept(rig.chain, mineOn(rig.chain.genesis));
    await rig.pass(1_000);
    expect([rig.chain.tip.height, ends]).toEqual([1, ['stale']]);
    expect(await rig.metric('blocks_lost_total', '{reason="stale"}')).toBe('1');
    await lose();
    await rig.miner.beforeApplicationShutdown();
    expect([rig.chain.tip.height, ends]).toEqual([1, ['stale', 'halted']]);
  });

  it('fails the request for the block', async () => {
    const rig = startMiner(new InlineHasher(), { auto: false });
    rig.database.pragma('query_only = 1');
    await expect(rig.miner.mine(1)).rejects.toThrow('readonly');
  });

  it('logs a block of its own that breaks a rule, and does not spin', async () => {
    const rig = startMiner(new HeldHasher(), { params: createParams({ network: 'test', difficulty: 8 }) });
    await rig.post('a');
    for (const [index, retryMs] of DELAYS_MS.entries()) {
      rig.hasher.end({ kind: 'found', nonce: 0 });
      await rig.pass(retryMs - 1);
      expect(errors(rig).length).toBe(index + 1);
      expect(errors(rig).at(-1)).toMatchObject({ msg: expect.stringContaining('This is a bug'), retryMs });
      expect(rig.hasher.isSearching).toBe(false);
      await rig.pass(1);
      expect(rig.hasher.isSearching).toBe(true);
    }
    expect(await rig.metric('blocks_lost_total', '{reason="refused"}')).toBe(String(DELAYS_MS.length));
  });

  it('starts at the shortest wait again after a block', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    for (const retryMs of [1000, 2000]) {
      rig.hasher.fail(new Error('every mining thread has crashed'));
      await rig.pass(retryMs);
    }
    await rig.hasher.find();
    await rig.post('b');
    rig.hasher.fail(new Error('every mining thread has crashed'));
    await rig.pass(0);
    expect(errors(rig).map(({ retryMs }) => retryMs)).toEqual([1000, 2000, 1000]);
  });

  it('end the wait for the next attempt when somebody asks for a block', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    rig.hasher.fail(new Error('every mining thread has crashed'));
    await rig.pass(0);
    const mined = rig.miner.mine(1);
    await rig.pass(0);
    await rig.hasher.find();
    expect((await mined).length).toBe(1);
  });
});

describe('shutdown', () => {
  it('ends the search and refuses who waits and who comes later', async () => {
    const rig = startMiner(new HeldHasher(), { auto: false });
    const waiting = [rig.miner.mine(1), rig.miner.mine(2)].map((mined) =>
      expect(mined).rejects.toThrow(MinerStoppedError),
    );
    await rig.pass(0);
    await rig.miner.beforeApplicationShutdown();
    await Promise.all(waiting);
    expect(rig.hasher.isStopped).toBe(true);
    expect(rig.hasher.isSearching).toBe(false);
    await expect(rig.miner.mine(1)).rejects.toThrow(MinerStoppedError);
  });

  it('mines nothing any more', async () => {
    const rig = startMiner(new InlineHasher());
    makeTie(rig);
    await rig.miner.beforeApplicationShutdown();
    await rig.post('a');
    await rig.pass(60_000);
    expect(rig.chain.tip.height).toBe(1);
  });
});

describe('events', () => {
  type Heard = readonly [name: keyof MinerEventMap, ...facts: unknown[]];

  function listen({ miner }: Rig<Hasher>): Heard[] {
    const heard: Heard[] = [];
    miner.events.on('started', ({ parent, entries, reason }) =>
      heard.push(['started', parent.height, entries, reason]),
    );
    miner.events.on('found', ({ node, entries }) => heard.push(['found', node.height, entries]));
    miner.events.on('cancelled', ({ parent, entries, end }) => heard.push(['cancelled', parent.height, entries, end]));
    return heard;
  }

  it('report each search and the block that it found', async () => {
    const rig = startMiner(new InlineHasher());
    const heard = listen(rig);
    await rig.post('a', 'b');
    await rig.miner.mine(1);
    await settled();
    expect(heard).toEqual([
      ['started', 0, 2, 'own-entries'],
      ['found', 1, 2],
      ['started', 1, 0, 'request'],
      ['found', 2, 0],
    ]);
  });

  it('report the block only once it is the tip, after the events of the chain', async () => {
    const rig = startMiner(new InlineHasher(), { auto: false });
    const heard: string[] = [];
    rig.miner.events.on('found', ({ node }) => heard.push(`found ${node === rig.chain.tip}`));
    rig.chain.events.on('block', () => heard.push('block'));
    await rig.miner.mine(1);
    expect(heard).toEqual(['block', 'found true']);
  });

  it('report why a search ended without a block', async () => {
    const rig = startMiner(new HeldHasher());
    const heard = listen(rig);
    await rig.post('a');
    rig.hasher.end({ kind: 'exhausted' });
    await settled();
    accept(rig.chain, mineOn(rig.chain.genesis));
    await settled();
    await rig.pass(300);
    await rig.post('b');
    await rig.pass(0);
    rig.hasher.fail(new Error('every mining thread has crashed'));
    await rig.pass(1000);
    rig.miner.setPaused('test', true);
    await settled();
    expect(heard).toEqual([
      ...[
        ['started', 0, 1, 'own-entries'],
        ['cancelled', 0, 1, 'exhausted'],
      ],
      ...[
        ['started', 0, 1, 'own-entries'],
        ['cancelled', 0, 1, 'stale'],
      ],
      ...[
        ['started', 1, 1, 'own-entries'],
        ['cancelled', 1, 1, 'refreshed'],
      ],
      ...[
        ['started', 1, 2, 'own-entries'],
        ['cancelled', 1, 2, 'failed'],
      ],
      ...[
        ['started', 1, 2, 'own-entries'],
        ['cancelled', 1, 2, 'halted'],
      ],
    ]);
    expect(await rig.metric('searches_total', '{result="failed"}')).toBe('1');
  });

  it('report a block that was lost: the tip had just changed, or it was refused', async () => {
    const params = createParams({ network: 'test', difficulty: 3 });
    const rig = startMiner(new HeldHasher(), { params });
    const heard = listen(rig);
    await rig.post('a');
    // The nonce is found in the same moment as another block comes in, before the miner handles it.
    rig.hasher.end({ kind: 'found', nonce: 0 });
    accept(rig.chain, mineOn(rig.chain.tip, [], { params }));
    await settled();
    rig.hasher.end({ kind: 'found', nonce: 0 });
    await settled();
    expect(heard).toEqual([
      ['started', 0, 1, 'own-entries'],
      ['cancelled', 0, 1, 'stale'],
      ['started', 1, 1, 'own-entries'],
      ['cancelled', 1, 1, 'failed'],
    ]);
    expect(await rig.metric('blocks_lost_total', '{reason="stale"}')).toBe('1');
    expect(await rig.metric('blocks_lost_total', '{reason="refused"}')).toBe('1');
  });

  it('go on after a listener that throws, whose error is a fault of this node', async () => {
    const rig = startMiner(new InlineHasher(), { auto: false });
    const faults: string[] = [];
    rig.faults.on(({ message }) => faults.push(message));
    for (const name of ['started', 'found'] as const) {
      rig.miner.events.on(name, () => {
        throw new Error(`broken listener of ${name}`);
      });
    }
    await rig.miner.mine(1);
    await settled();
    expect(rig.chain.tip.height).toBe(1);
    expect(faults).toEqual(['broken listener of started', 'broken listener of found']);
  });

  it('may be answered by a change of the miner itself', async () => {
    const rig = startMiner(new HeldHasher());
    const heard = listen(rig);
    rig.miner.events.once('started', () => rig.miner.setPaused('test', true));
    await rig.post('a');
    await settled();
    expect(rig.hasher.isSearching).toBe(false);
    expect(heard).toEqual([
      ['started', 0, 1, 'own-entries'],
      ['cancelled', 0, 1, 'halted'],
    ]);
  });
});

describe('metrics', () => {
  it('count what was done', async () => {
    const rig = startMiner(new InlineHasher(), { auto: false });
    await rig.miner.mine(3);
    expect(await rig.metric('blocks_mined_total')).toBe('3');
    expect(await rig.metric('searches_total', '{result="found"}')).toBe('3');
    expect(await rig.metric('hashes_total')).toBe(String(rig.hasher.hashesDone));
    expect(await rig.metric('active')).toBe('0');
    expect(await rig.metric('hashes_per_second')).toBe('0');
  });

  it('show the hashes really done under a limit, with the waits', async () => {
    const clock = new VirtualClock();
    const params = createParams({ network: 'test', difficulty: 16 });
    const rig = startMiner(new InlineHasher({ clock }), { clock, params });
    rig.miner.limitHashRate(1000);
    await rig.post('a');
    await rig.pass(5000);
    expect(await rig.metric('max_hashes_per_second')).toBe('1000');
    expect(rig.miner.status).toMatchObject({ active: true, maxHashRate: 1000 });
    expect(Math.abs(rig.miner.status.hashRate - 1000)).toBeLessThan(50);
    expect(rig.hasher.hashesDone).toBeLessThanOrEqual(5_100);
    rig.miner.limitHashRate(100);
    await rig.pass(20_000);
    expect(Math.abs(rig.miner.status.hashRate - 100)).toBeLessThan(10);
    expect(() => rig.miner.limitHashRate(0.5)).toThrow('whole number');
  });

  it('show the hash rate of a search that runs', async () => {
    const rig = startMiner(new HeldHasher());
    await rig.post('a');
    rig.hasher.hashesDone = 5000;
    await rig.pass(2000);
    expect(await rig.metric('hashes_per_second')).toBe('2500');
    expect(await rig.metric('active')).toBe('1');
    expect(rig.miner.status.hashRate).toBe(2500);
  });
});
