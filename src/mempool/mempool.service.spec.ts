import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  accept,
  acceptBatch,
  entry,
  genesisNode,
  mineChain,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
  type TestChainOptions,
} from '../../test/support/chain-builders.js';
import { rawData } from '../../test/support/consensus.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { isEntry } from '../consensus/transaction.js';
import type { Hash } from '../consensus/codec.js';
import type { Block } from '../consensus/block.js';
import { createCoinbase } from '../consensus/coinbase.js';
import { type DataTransaction } from '../consensus/data-entry.js';
import type { Selection } from './entry-selection.js';
import { MempoolFullError, type MempoolService } from './mempool.service.js';

let clock: VirtualClock;

beforeEach(() => {
  clock = new VirtualClock();
});

function open(options: TestChainOptions = {}): TestChain {
  const node = openChain({ clock, ...options });
  onTestFinished(() => node.close());
  return node;
}

/** Lets the grouped commit come, and tells what became of each promise. */
async function settle<T>(promises: readonly Promise<T>[]): Promise<PromiseSettledResult<T>[]> {
  const all = Promise.allSettled(promises);
  await clock.advance(0);
  return all;
}

async function post(mempool: MempoolService, ...data: string[]): Promise<DataTransaction[]> {
  const results = await settle(data.map((item) => mempool.submit(item)));
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

async function gossip(mempool: MempoolService, ...transactions: Parameters<MempoolService['acceptFromPeer']>[0]) {
  const [result] = await settle([mempool.acceptFromPeer(transactions, 'peer-1')]);
  if (result!.status === 'rejected') throw result!.reason;
  return result!.value.map(({ result: verdict }) => verdict);
}

function dataOf(mempool: MempoolService): string[] {
  return mempool.list(0, 10_000).map(({ data }) => data);
}

describe('submit', () => {
  it('makes an entry, durable before it is promised, in order of arrival', async () => {
    const dataDir = temporaryDirectory();
    const first = openChain({ clock, dataDir });
    const transactions = await post(first.mempool, 'a', 'b', 'a');
    expect(new Set(transactions.map(({ id }) => id)).size).toBe(3);
    expect((await first.mempool.select(1_000_000, 1_000)).entries).toEqual(transactions);
    expect(first.mempool.get(transactions[1]!.id)).toBe(transactions[1]);
    expect(first.mempool.has(transactions[1]!.id)).toBe(true);
    first.close();
    const { mempool } = open({ dataDir });
    expect(mempool.list(0, 10)).toEqual(transactions);
    expect(mempool.bytes).toBe(transactions.reduce((sum, { bytes }) => sum + bytes.length, 0));
  });

  it('is not answered, and not there, before the commit', async () => {
    const { mempool } = open();
    const promise = mempool.submit('a');
    expect(mempool.size).toBe(0);
    await clock.advance(0);
    await promise;
    expect(mempool.size).toBe(1);
  });

  it('takes all that comes in one turn of the event loop in one commit', async () => {
    const { mempool, registry } = open();
    const told: number[] = [];
    mempool.events.on('added', ({ transactions }) => told.push(transactions.length));
    await post(mempool, ...Array.from({ length: 100 }, (_, index) => `entry ${index}`));
    expect(told).toEqual([100]);
    expect(await registry.metrics()).toContain('minichain_mempool_commit_transactions_count 1\n');
    expect(await registry.metrics()).toContain('minichain_mempool_commit_duration_seconds_count 1\n');
  });

  it.each([
    ['', 'bad-txn-data-empty'],
    ['x'.repeat(16_385), 'bad-txn-data-length'],
    ['ü'.repeat(8_193), 'bad-txn-data-length'],
    ['lone \ud800 surrogate', 'bad-txn-data-encoding'],
  ])('refuses %j with its code', async (data, code) => {
    const { mempool } = open();
    const [result] = await settle([mempool.submit(data)]);
    expect(result).toMatchObject({ status: 'rejected', reason: { name: 'RuleError', code } });
    expect(mempool.size).toBe(0);
  });

  it('takes what just fits, and any length around the forbidden 64 bytes', async () => {
    const { mempool } = open();
    const data = ['x'.repeat(16_384), '\u0000', ...Array.from({ length: 60 }, (_, index) => 'y'.repeat(index + 1))];
    await post(mempool, ...data);
    expect(dataOf(mempool)).toEqual(data);
  });

  it('rejects everything of a commit that fails, keeps nothing, and works again afterwards', async () => {
    const node = open({ dataDir: temporaryDirectory(), limits: { maxTransactions: 1_000, maxBytes: 10_000_000 } });
    const { mempool, database } = node;
    await post(mempool, 'before');
    const faults: Error[] = [];
    node.faults.on((error) => faults.push(error));
    database.pragma(`max_page_count = ${(database.pragma('page_count', { simple: true }) as number) + 5}`);
    const results = await settle(Array.from({ length: 20 }, () => mempool.submit('z'.repeat(10_000))));
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: { code: 'SQLITE_FULL' } });
    expect(faults).toHaveLength(1);
    expect(dataOf(mempool)).toEqual(['before']);
    expect(database.prepare('SELECT count(*) FROM mempool').pluck().get()).toBe(1);
    database.pragma('max_page_count = 1000000');
    await post(mempool, 'after');
    expect(dataOf(mempool)).toEqual(['before', 'after']);
  });

  it('flushes what waits when the node shuts down', async () => {
    const { mempool } = open();
    const promise = mempool.submit('a');
    mempool.beforeApplicationShutdown();
    await promise;
    expect(mempool.size).toBe(1);
  });
});

describe('the limits', () => {
  it('refuse posts with a time to come back, and drop nothing', async () => {
    const { mempool } = open({ limits: { maxTransactions: 2, maxBytes: 1_000_000 } });
    const results = await settle(['a', 'b', 'c'].map((data) => mempool.submit(data)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    const { reason } = results[2] as PromiseRejectedResult;
    expect(reason).toBeInstanceOf(MempoolFullError);
    expect((reason as MempoolFullError).retryAfterSeconds).toBeGreaterThan(0);
    expect(dataOf(mempool)).toEqual(['a', 'b']);
  });

  it('count bytes too, and a smaller entry may still fit', async () => {
    const { mempool } = open({ limits: { maxTransactions: 100, maxBytes: 300 } });
    const results = await settle(['x'.repeat(200), 'y'.repeat(200), 'z'].map((data) => mempool.submit(data)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(mempool.bytes).toBeLessThanOrEqual(300);
  });

  it('never let gossip push out anything', async () => {
    const { mempool } = open({ limits: { maxTransactions: 2, maxBytes: 1_000_000 } });
    await post(mempool, 'posted');
    expect(await gossip(mempool, entry('x'), entry('y'))).toEqual(['accepted', 'full']);
    expect(dataOf(mempool)).toEqual(['posted', 'x']);
  });

  it('keep a share for posts that no flood of gossip can take', async () => {
    const { mempool, registry } = open({ limits: { maxTransactions: 50, maxBytes: 1_000_000 } });
    const results = await gossip(mempool, ...Array.from({ length: 100 }, (_, index) => entry(`flood ${index}`)));
    expect(results.filter((result) => result === 'accepted')).toHaveLength(40);
    const posts = await settle(Array.from({ length: 11 }, (_, index) => mempool.submit(`post ${index}`)));
    expect(posts.map(({ status }) => status)).toEqual([...Array<string>(10).fill('fulfilled'), 'rejected']);
    expect(await gossip(mempool, entry('more'))).toEqual(['full']);
    const text = await registry.metrics();
    expect(text).toContain('minichain_mempool_refused_total{reason="full-for-gossip"} 61\n');
    expect(text).toContain('minichain_mempool_refused_total{reason="full"} 1\n');
  });

  it('keep a share of the bytes for posts, too', async () => {
    const { mempool } = open({ limits: { maxTransactions: 1_000, maxBytes: 10_000 } });
    const big = (): DataTransaction => entry('x'.repeat(1_000));
    const results = await gossip(mempool, ...Array.from({ length: 12 }, big));
    expect(results.filter((result) => result === 'accepted')).toHaveLength(7);
    await post(mempool, 'y'.repeat(1_000));
  });

  it('make room again when a block takes entries', async () => {
    const { mempool, chain } = open({ limits: { maxTransactions: 1, maxBytes: 1_000_000 } });
    const [transaction] = await post(mempool, 'a');
    accept(chain, mineOn(chain.tip, [transaction!]));
    await post(mempool, 'b');
    expect(dataOf(mempool)).toEqual(['b']);
  });
});

describe('acceptFromPeer', () => {
  it('judges each by itself', async () => {
    const { mempool, chain } = open();
    const [waiting] = await post(mempool, 'waiting');
    const mined = entry('mined');
    accept(chain, mineOn(chain.tip, [mined]));
    const fresh = entry('fresh');
    const results = await gossip(
      mempool,
      fresh,
      waiting!,
      mined,
      createCoinbase(1, 1n, 'm'),
      rawData(33, 'salt too long'),
      rawData(0, 'x'.repeat(64 - 11)),
      fresh,
    );
    expect(results).toEqual([
      'accepted',
      'duplicate',
      'duplicate',
      'bad-txn-kind',
      'bad-txn-salt',
      'bad-txn-64-bytes',
      'accepted',
    ]);
    expect(dataOf(mempool)).toEqual(['waiting', 'fresh']);
  });

  it('takes the same from two peers in one turn once, and tells who brought it', async () => {
    const { mempool } = open();
    const [shared, other] = [entry('shared'), entry('other')];
    const told: unknown[] = [];
    mempool.events.on('added', ({ transactions, origin }) => told.push([origin, transactions.map(({ data }) => data)]));
    await settle([
      mempool.acceptFromPeer([shared], 'peer-1'),
      mempool.acceptFromPeer([shared, other], 'peer-2'),
      mempool.submit('posted').then(() => []),
    ]);
    expect(told).toEqual([
      ['peer-1', ['shared']],
      ['peer-2', ['other']],
      [undefined, ['posted']],
    ]);
  });

  it('is durable too, and stays told apart from what was posted', async () => {
    const dataDir = temporaryDirectory();
    const first = openChain({ clock, dataDir });
    await post(first.mempool, 'posted');
    await gossip(first.mempool, entry('gossiped'));
    first.close();
    const { mempool, registry } = open({ dataDir });
    expect(dataOf(mempool)).toEqual(['posted', 'gossiped']);
    expect(await registry.metrics()).toContain('minichain_mempool_transactions{kind="gossiped"} 1\n');
  });

  it('of nothing valid needs no commit', async () => {
    const { mempool } = open();
    expect(await mempool.acceptFromPeer([createCoinbase(1, 1n, 'm')], 'peer-1')).toMatchObject([
      { result: 'bad-txn-kind' },
    ]);
    expect(await mempool.acceptFromPeer([], 'peer-1')).toEqual([]);
  });
});

describe('blocks', () => {
  it('take entries out, whoever mined them', async () => {
    const { mempool, chain } = open();
    const [a, , c] = await post(mempool, 'a', 'b', 'c');
    const removed: (readonly Hash[])[] = [];
    mempool.events.on('removed', (ids) => removed.push(ids));
    accept(chain, mineOn(chain.tip, [c!, 'of another node', a!]));
    expect(dataOf(mempool)).toEqual(['b']);
    expect(removed).toEqual([[c!.id, a!.id]]);
    accept(chain, mineOn(chain.tip, ['nothing of ours']));
    expect(removed).toHaveLength(1);
  });

  it('that stay aside take nothing', async () => {
    const { mempool, chain } = open();
    const [a] = await post(mempool, 'a');
    accept(chain, mineOn(chain.genesis));
    expect(accept(chain, mineOn(chain.genesis, [a!])).kind).toBe('side');
    expect(dataOf(mempool)).toEqual(['a']);
  });

  it('that are disconnected give back what the new branch does not hold: in order, first, and above the limits', async () => {
    const dataDir = temporaryDirectory();
    const first = openChain({ clock, dataDir, limits: { maxTransactions: 2, maxBytes: 1_000_000 } });
    const { mempool, chain } = first;
    const [shared, mine] = [entry('shared'), entry('2nd')];
    const old = [mineOn(chain.genesis, ['1st', shared, mine])];
    old.push(mineOn(nodeOf(old[0]!, chain.genesis), ['3rd', '4th']));
    acceptBatch(chain, old);
    await post(mempool, 'young', 'younger');
    const added: unknown[] = [];
    mempool.events.on('added', ({ transactions, origin }) =>
      added.push([origin, transactions.map(({ data }) => data)]),
    );
    const branch = mineChain(chain.genesis, 3, (index) => (index === 1 ? [shared] : []));
    acceptBatch(chain, branch.blocks);
    expect(chain.tip.hash).toBe(branch.blocks[2]!.hash);
    const expected = ['1st', '2nd', '3rd', '4th', 'young', 'younger'];
    expect(dataOf(mempool)).toEqual(expected);
    expect(added).toEqual([[undefined, ['1st', '2nd', '3rd', '4th']]]);
    expect(await gossip(mempool, entry('more'))).toEqual(['full']);
    first.close();
    const again = open({ dataDir });
    expect(dataOf(again.mempool)).toEqual(expected);
    accept(again.chain, mineOn(again.chain.tip, (await again.mempool.select(1_000_000, 1_000)).entries));
    expect(again.mempool.size).toBe(0);
    expect(again.mempool.bytes).toBe(0);
  });

  it('that come back take their entries again', () => {
    const { mempool, chain } = open();
    const mine = mineChain(chain.genesis, 1, () => ['a', 'b']);
    const theirs = mineChain(chain.genesis, 2);
    for (const block of [...mine.blocks, ...theirs.blocks]) accept(chain, block);
    expect(dataOf(mempool)).toEqual(['a', 'b']);
    acceptBatch(chain, mineChain(mine.nodes[0]!, 2).blocks);
    expect(dataOf(mempool)).toEqual([]);
  });

  it('whose commit fails leave the mempool as it was, in memory and on disk', async () => {
    const dataDir = temporaryDirectory();
    const node = openChain({ clock, dataDir });
    const { mempool, chain } = node;
    const [a] = await post(mempool, 'a', 'b');
    accept(chain, mineOn(chain.genesis, ['old']));
    const better = mineChain(chain.genesis, 2, () => [a!]);
    accept(chain, better.blocks[0]!);
    chain.events.on('committing', () => {
      throw new Error('power cut');
    });
    expect(() => accept(chain, mineOn(better.nodes[0]!))).toThrow('power cut');
    expect(dataOf(mempool)).toEqual(['a', 'b']);
    node.close();
    expect(dataOf(open({ dataDir }).mempool)).toEqual(['a', 'b']);
  });

  it('move entries rightly when a listener of the tip makes the next block', async () => {
    const { mempool, chain } = open();
    const [a] = await post(mempool, 'a');
    const first = mineOn(chain.genesis, [a!]);
    const other = mineChain(chain.genesis, 2);
    const seen: string[][] = [];
    chain.events.once('tip', () => {
      seen.push(dataOf(mempool));
      acceptBatch(chain, other.blocks);
    });
    accept(chain, first);
    expect(seen).toEqual([[]]);
    expect(chain.tip.hash).toBe(other.blocks[1]!.hash);
    expect(dataOf(mempool)).toEqual(['a']);
  });
});

describe('a start', () => {
  it('drops what the chain already holds', async () => {
    const dataDir = temporaryDirectory();
    const first = openChain({ clock, dataDir });
    const [a] = await post(first.mempool, 'a', 'b');
    accept(first.chain, mineOn(first.chain.tip, [a!]));
    const id = Buffer.from(a!.id, 'hex').reverse();
    first.database.prepare('INSERT INTO mempool (id, acknowledged, bytes) VALUES (?, 1, ?)').run(id, a!.bytes);
    first.close();
    const again = open({ dataDir });
    expect(dataOf(again.mempool)).toEqual(['b']);
    expect(again.database.prepare('SELECT count(*) FROM mempool').pluck().get()).toBe(1);
  });

  it.each([`x'07'`, "CAST(replace(bytes, CAST('a' AS BLOB), CAST('b' AS BLOB)) AS BLOB)"])(
    'reports an entry that is not what was stored, with the way out (%s)',
    async (bytes) => {
      const dataDir = temporaryDirectory();
      const first = openChain({ clock, dataDir });
      await post(first.mempool, 'a');
      first.database.exec(`UPDATE mempool SET bytes = ${bytes}`);
      first.close();
      expect(() => openChain({ clock, dataDir })).toThrow(/is damaged.*not the one that was stored.*Way out/);
    },
  );
});

describe('a reorganisation that moves many entries', () => {
  const limits = { maxTransactions: 100_000, maxBytes: 100_000_000 };
  /** More than one step settles. */
  const PER_BLOCK = 900;

  function fullChain(length: number, name: string): Block[] {
    return mineChain(genesisNode(), length, (index) =>
      Array.from({ length: PER_BLOCK }, (_, entryIndex) => `${name} ${index} ${entryIndex}`),
    ).blocks;
  }

  it('gives them back step by step, in order, and never offers one that is in the chain', async () => {
    const { chain, mempool } = open({ limits });
    const mine = fullChain(4, 'mine');
    const shared = mine[1]!.transactions.filter(isEntry).slice(0, 500);
    acceptBatch(chain, mine);
    // Stored as side blocks first: their entries have to be read from disk when they become active.
    const theirs = mineChain(genesisNode(), 5, (index) => (index === 2 ? shared : [])).blocks;
    acceptBatch(chain, theirs.slice(0, 4));
    await post(mempool, 'young');
    let settled = 0;
    mempool.events.on('settled', () => settled++);
    accept(chain, theirs[4]!);
    expect(chain.tip.hash).toBe(theirs[4]!.hash);
    expect(mempool.isSettling).toBe(true);
    expect(settled).toBe(0);
    // What is not back yet can be found all the same.
    const early = mine[0]!.transactions.find(isEntry)!;
    expect(mempool.has(early.id)).toBe(false);
    expect(mempool.find(early.id)).toEqual(early);
    const inChain = new Set(shared.map(({ id }) => id));
    let selected: Selection | undefined;
    void mempool.select(10_000_000, 100_000).then((selection) => (selected = selection));
    await clock.until('entries are selected', () => selected !== undefined, 10_000);
    expect(selected!.parent).toBe(chain.tip);
    expect(selected!.entries.some(({ data }) => data === 'young')).toBe(true);
    for (const { id } of selected!.entries) expect(inChain.has(id)).toBe(false);
    await clock.until('the mempool is settled', () => !mempool.isSettling, 10_000);
    expect(settled).toBe(1);
    const expected = mine
      .flatMap(({ transactions }) => transactions.filter(isEntry))
      .filter(({ id }) => !inChain.has(id));
    expect(mempool.ids()).toEqual([...expected.map(({ id }) => id), mempool.ids().at(-1)]);
    expect(mempool.list(mempool.size - 1, 1)[0]).toMatchObject({ data: 'young' });
    expect(mempool.acknowledgedCount).toBe(mempool.size);
  });

  it('goes on after a restart where it stopped', async () => {
    const dataDir = temporaryDirectory();
    const first = openChain({ clock, dataDir, limits });
    const mine = fullChain(4, 'mine');
    acceptBatch(first.chain, mine);
    acceptBatch(first.chain, mineChain(genesisNode(), 5).blocks);
    expect(first.mempool.isSettling).toBe(true);
    const before = first.mempool.size;
    expect(before).toBeLessThan(4 * PER_BLOCK);
    first.close();
    const again = open({ dataDir, limits });
    expect(again.mempool.size).toBe(before);
    await clock.until('the mempool is settled', () => !again.mempool.isSettling, 10_000);
    expect(again.mempool.ids()).toEqual(
      mine.flatMap(({ transactions }) => transactions.filter(isEntry)).map(({ id }) => id),
    );
    expect(again.database.prepare('SELECT count(*) FROM unsettled_blocks').pluck().get()).toBe(0);
  });

  it('decodes a big block in several steps, and gives its entries back in order', async () => {
    const { chain, mempool } = open({ limits });
    const mine = mineChain(genesisNode(), 3, (block) =>
      Array.from({ length: block === 1 ? 4_500 : 3 }, (_, entry) => `mine ${block} ${entry}`),
    ).blocks;
    acceptBatch(chain, mine);
    let decoded = 0;
    const decodedBefore: number[] = [];
    const transactionsOf = chain.transactionsOf.bind(chain);
    const lookUp = chain.lookUp.bind(chain);
    vi.spyOn(chain, 'transactionsOf').mockImplementation(function* (node) {
      for (const rest = transactionsOf(node); ; decoded++) {
        const next = rest.next();
        if (next.done === true) return;
        yield next.value;
      }
    });
    // Each step looks entries up once.
    vi.spyOn(chain, 'lookUp').mockImplementation((ids) => {
      decodedBefore.push(decoded);
      return lookUp(ids);
    });
    acceptBatch(chain, mineChain(genesisNode(), 4).blocks);
    await clock.until('the mempool is settled', () => !mempool.isSettling, 10_000);
    expect(mempool.ids()).toEqual(mine.flatMap(({ transactions }) => transactions.filter(isEntry)).map(({ id }) => id));
    const steps = decodedBefore.map((count, step) => count - (decodedBefore[step - 1] ?? 0));
    expect(decoded).toBeGreaterThan(4_500);
    expect(Math.max(...steps)).toBeLessThan(3_000);
  });

  it('may be undone while a big block of it is half decoded', async () => {
    const { chain, mempool } = open({ limits });
    const mine = mineChain(genesisNode(), 1, () => Array.from({ length: 4_500 }, (_, entry) => `mine ${entry}`)).blocks;
    acceptBatch(chain, mine);
    acceptBatch(chain, mineChain(genesisNode(), 2).blocks);
    expect(mempool.isSettling).toBe(true);
    expect(mempool.size).toBe(0);
    acceptBatch(chain, mineChain(chain.node(mine[0]!.hash)!, 2).blocks);
    await clock.until('the mempool is settled', () => !mempool.isSettling, 10_000);
    expect(mempool.size).toBe(0);
    acceptBatch(chain, mineChain(genesisNode(), 4, () => ['other']).blocks);
    await clock.until('the mempool is settled', () => !mempool.isSettling, 10_000);
    expect(mempool.size).toBe(4_500);
  });

  it('whose entries stand in many blocks of the new branch reads only some of these in one step', async () => {
    const { chain, mempool } = open({ limits });
    const mine = mineChain(genesisNode(), 2, (index) => Array.from({ length: 100 }, (_, at) => `mine ${index} ${at}`));
    acceptBatch(chain, mine.blocks);
    const entries = mine.blocks.flatMap(({ transactions }) => transactions.filter(isEntry));
    const kept = entries.filter((_, index) => index % 3 > 0);
    const theirs = mineChain(genesisNode(), kept.length, (index) => [kept[index]!]).blocks;
    const lookUp = vi.spyOn(chain, 'lookUp');
    acceptBatch(chain, theirs);
    await clock.until('the mempool is settled', () => !mempool.isSettling, 10_000);
    expect(Math.min(...lookUp.mock.results.map(({ value }) => (value as { count: number }).count))).toBeLessThan(100);
    expect(lookUp.mock.calls.length).toBeGreaterThan(1);
    expect(mempool.ids()).toEqual(entries.filter((_, index) => index % 3 === 0).map(({ id }) => id));
  });

  it('that is undone at once leaves the mempool as it was', async () => {
    const { chain, mempool } = open({ limits });
    const mine = fullChain(4, 'mine');
    acceptBatch(chain, mine);
    acceptBatch(chain, mineChain(genesisNode(), 5).blocks);
    expect(mempool.isSettling).toBe(true);
    const mineTip = chain.node(mine[3]!.hash)!;
    acceptBatch(chain, mineChain(mineTip, 2).blocks);
    expect(chain.isActive(mineTip)).toBe(true);
    await clock.until('the mempool is settled', () => !mempool.isSettling, 10_000);
    expect(mempool.size).toBe(0);
  });

  it('owes to its poster what a peer brought again meanwhile', async () => {
    const { chain, mempool } = open({ limits });
    const mine = fullChain(3, 'mine');
    acceptBatch(chain, mine);
    acceptBatch(chain, mineChain(genesisNode(), 4).blocks);
    const early = mine[0]!.transactions.find(isEntry)!;
    expect(mempool.has(early.id)).toBe(false);
    const [accepted] = await settle([mempool.acceptFromPeer([early], 'peer')]);
    expect(accepted).toMatchObject({ value: [{ result: 'accepted' }] });
    await clock.until('the mempool is settled', () => !mempool.isSettling, 10_000);
    expect(mempool.size).toBe(3 * PER_BLOCK);
    expect(mempool.acknowledgedCount).toBe(mempool.size);
  });
});
