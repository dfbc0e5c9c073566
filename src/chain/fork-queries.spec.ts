import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  mineChain,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { temporaryDirectory } from '../../test/support/node-process.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { DEFAULT_HEIGHTS, ForkQueries, MAX_HEIGHTS, type LazyForks } from './fork-queries.js';
import { forksSchema, type Forks } from './fork-schemas.js';

let clock: VirtualClock;
let node: TestChain;
let queries: ForkQueries;

beforeEach(() => {
  clock = new VirtualClock();
  node = openChain({ clock });
  queries = new ForkQueries(node.chain);
});

afterEach(() => node.close());

/** All blocks read, as a client gets them. */
function whole(forks: LazyForks): Forks {
  const answer = { ...forks, blocks: [...forks.blocks] };
  expect(forksSchema.parse(answer)).toEqual(answer);
  return answer;
}

function forks(from?: number, to?: number): Forks {
  const range = queries.range({ from, to });
  return whole(queries.forks(range.from, range.to));
}

/** The answer as a line: runs as "4-9", blocks as "10" or with their status. */
function shape({ runs, blocks }: Forks): string {
  const parts = [
    ...runs.map(({ from, to, count }) => ({ at: from, text: `${from}-${to}${count === to - from + 1 ? '' : '?'}` })),
    ...blocks.map(({ height, status }) => ({
      at: height,
      text: `${height}${status === 'active' ? '' : ` ${status}`}`,
    })),
  ];
  return parts
    .sort((one, other) => one.at - other.at)
    .map(({ text }) => text)
    .join(', ');
}

describe('the tree', () => {
  it('shows active and side blocks, who mined them, and when they arrived', async () => {
    const { genesis } = node.chain;
    const first = mineOn(genesis, ['a', 'b']);
    accept(node.chain, first);
    const firstMs = clock.nowMs();
    await clock.advance(5_000);
    const side = mineOn(genesis, ['c']);
    accept(node.chain, side);
    const zero = '0'.repeat(64);
    expect(forks()).toEqual({
      tip: { height: 1, hash: first.hash },
      from: 0,
      to: 1,
      runs: [],
      blocks: [
        {
          height: 0,
          hash: genesis.hash,
          previousHash: zero,
          status: 'active',
          miner: 'test',
          entries: 0,
          receivedMs: firstMs,
          chainWork: `${zero.slice(1)}1`,
        },
        {
          height: 1,
          hash: first.hash,
          previousHash: genesis.hash,
          status: 'active',
          miner: 'miner',
          entries: 2,
          receivedMs: firstMs,
          chainWork: `${zero.slice(1)}2`,
        },
        {
          height: 1,
          hash: side.hash,
          previousHash: genesis.hash,
          status: 'side',
          miner: 'miner',
          entries: 1,
          receivedMs: firstMs + 5_000,
          chainWork: `${zero.slice(1)}2`,
        },
      ],
    });
  });

  it('follows a reorganisation', () => {
    const { genesis } = node.chain;
    const [old, side] = [mineOn(genesis), mineOn(genesis)];
    for (const block of [old, side]) accept(node.chain, block);
    accept(node.chain, mineOn(nodeOf(side, genesis)));
    const statuses = forks().blocks.map(({ hash, status }) => [hash, status]);
    expect(statuses).toEqual([
      [genesis.hash, 'active'],
      [old.hash, 'side'],
      [side.hash, 'active'],
      [node.chain.tip.hash, 'active'],
    ]);
  });

  it('is the same after a restart', () => {
    const directory = temporaryDirectory();
    node.close();
    node = openChain({ clock, dataDir: directory.path });
    queries = new ForkQueries(node.chain);
    const { genesis } = node.chain;
    for (const block of [mineOn(genesis), mineOn(genesis), mineOn(genesis)]) accept(node.chain, block);
    const before = forks();
    node.close();
    node = openChain({ clock: new VirtualClock(0), dataDir: directory.path });
    queries = new ForkQueries(node.chain);
    expect(forks()).toEqual(before);
    expect(before.blocks).toHaveLength(4);
    directory.remove();
  });

  it('shows orphans at the height that they claim, also above the tip', () => {
    const { genesis } = node.chain;
    const { blocks } = mineChain(genesis, 5);
    accept(node.chain, blocks[0]!);
    accept(node.chain, blocks[4]!);
    accept(node.chain, blocks[2]!);
    expect(shape(forks())).toBe('0, 1, 3 orphan, 5 orphan');
    expect(forks().blocks.at(-1)).toMatchObject({ previousHash: blocks[3]!.hash, chainWork: null, entries: 0 });
    expect(shape(forks(0, 0))).toBe('0');
    expect(shape(forks(4))).toBe('5 orphan');
    accept(node.chain, blocks[1]!);
    accept(node.chain, blocks[3]!);
    expect(shape(forks())).toBe('0, 1, 2, 3, 4, 5');
  });

  it('shows a block that was damaged on disk without what is in it', () => {
    const { blocks } = mineChain(node.chain.genesis, 2, () => ['x']);
    acceptBatch(node.chain, blocks);
    node.database.prepare("UPDATE blocks SET body = x'00' WHERE height = 1").run();
    expect(forks().blocks.map(({ miner, entries }) => [miner, entries])).toEqual([
      ['test', 0],
      [null, null],
      ['miner', 1],
    ]);
  });
});

describe('runs', () => {
  it('stand for long stretches without forks, except just below the tip', () => {
    acceptBatch(node.chain, mineChain(node.chain.genesis, 40).blocks);
    const tail = Array.from({ length: 20 }, (_, i) => i + 21).join(', ');
    expect(shape(forks())).toBe(`0, 1-20, ${tail}`);
    expect(shape(forks(3, 12))).toBe('3-12');
    expect(shape(forks(3, 7))).toBe('3, 4, 5, 6, 7');
    expect(shape(forks(18, 24))).toBe('18, 19, 20, 21, 22, 23, 24');
    expect(shape(forks(41))).toBe('');
  });

  it('leave out each fork, and the blocks before and after it', () => {
    const { nodes, blocks } = mineChain(node.chain.genesis, 60);
    acceptBatch(node.chain, blocks);
    accept(node.chain, mineOn(nodes[19]!));
    expect(shape(forks(5, 39))).toBe('5-19, 20, 21, 21 side, 22, 23-39');
  });

  it('give every block of a range exactly once, whatever the range', () => {
    const { nodes, blocks } = mineChain(node.chain.genesis, 80);
    acceptBatch(node.chain, blocks);
    for (const height of [8, 9, 30, 52]) accept(node.chain, mineOn(nodes[height]!));
    for (let from = 0; from < 80; from += 3) {
      for (let to = from; to <= 82; to += 5) {
        const { runs, blocks: shown } = forks(from, to);
        const active = [
          ...runs.flatMap((run) => Array.from({ length: run.count }, (_, i) => run.from + i)),
          ...shown.filter(({ status }) => status === 'active').map(({ height }) => height),
        ].sort((one, other) => one - other);
        expect(active).toEqual(Array.from({ length: Math.min(80, to) - from + 1 }, (_, i) => from + i));
        const sides = shown.filter(({ status }) => status === 'side').map(({ height }) => height);
        expect(sides).toEqual([10, 11, 32, 54].filter((at) => at >= from && at <= to));
      }
    }
  });
});

it('means the newest heights where none are given', () => {
  acceptBatch(node.chain, mineChain(node.chain.genesis, 250).blocks);
  expect(queries.range({})).toEqual({ from: 251 - DEFAULT_HEIGHTS, to: 250 });
  expect(queries.range({ from: 7 })).toEqual({ from: 7, to: 250 });
  expect(queries.range({ to: 150 })).toEqual({ from: 151 - DEFAULT_HEIGHTS, to: 150 });
  expect(queries.range({ to: 9 })).toEqual({ from: 0, to: 9 });
  expect(queries.range({ from: 300 })).toEqual({ from: 300, to: 300 });
  expect(queries.range({ from: 3, to: 400 })).toEqual({ from: 3, to: 400 });
  expect(MAX_HEIGHTS).toBe(10_000);
});
