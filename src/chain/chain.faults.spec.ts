import { describe, expect, it, onTestFinished } from 'vitest';
import {
  accept,
  acceptBatch,
  chainData,
  genesisNode,
  mineChain,
  mineOn,
  openChain,
  type TestChain,
  type TestChainOptions,
} from '../../test/support/chain-builders.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { RuleError } from '../consensus/rule-error.js';

function open(options: TestChainOptions = {}): TestChain {
  const node = openChain(options);
  onTestFinished(() => node.close());
  return node;
}

/** All that a fault must leave alone: what memory answers, and every row on disk. */
function imageOf({ chain, mempool, database }: TestChain): unknown {
  const tables = database.prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table'`).pluck().all();
  return {
    tip: chain.tip,
    competing: chain.competingTips(),
    locator: chain.locator(),
    waiting: mempool.ids(),
    bytes: mempool.bytes,
    rows: tables.map((table) => database.prepare(`SELECT * FROM ${table} ORDER BY 1`).all()),
  };
}

/** What `attempt` throws, which must be a fault of our own, not a broken rule. */
function faultOf(attempt: () => unknown): Error {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Error && !(error instanceof RuleError)) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a listener of `committing` that throws', () => {
  const mine = mineChain(genesisNode(), 3, (index) => [`mine ${index}`]);
  const theirs = mineChain(genesisNode(), 5, (index) => [`theirs ${index}`]);

  it.each([
    ['an extension', mine.blocks.slice(0, 2), [mine.blocks[2]!]],
    ['a reorganisation', [...mine.blocks, ...theirs.blocks.slice(0, 3)], [theirs.blocks[3]!]],
    ['a batch with a reorganisation in it', mine.blocks, theirs.blocks],
  ])('undoes %s, which works when it is tried again', (_what, before, blocks) => {
    const node = open();
    const { chain } = node;
    acceptBatch(chain, before);
    const image = imageOf(node);
    const faults: Error[] = [];
    const told: string[] = [];
    node.faults.on((error) => faults.push(error));
    chain.events.on('tip', () => told.push('tip'));
    chain.events.on('block', () => told.push('block'));
    chain.events.once('committing', () => {
      throw new Error('power cut');
    });
    expect(faultOf(() => acceptBatch(chain, blocks)).message).toBe('power cut');
    expect(imageOf(node)).toEqual(image);
    expect(faults.map(({ message }) => message)).toEqual(['power cut']);
    expect(told).toEqual([]);
    expect(acceptBatch(chain, blocks).error).toBeUndefined();
    expect(chain.tip.hash).toBe(blocks.at(-1)!.hash);
  });

  it('leaves adopted orphans in the pool', () => {
    const { chain } = open();
    const { blocks } = mineChain(chain.genesis, 3);
    accept(chain, blocks[2]!);
    accept(chain, blocks[1]!);
    chain.events.once('committing', () => {
      throw new Error('power cut');
    });
    faultOf(() => accept(chain, blocks[0]!));
    expect(chain.orphanCount).toBe(2);
    accept(chain, blocks[0]!);
    expect(chain.tip.hash).toBe(blocks[2]!.hash);
    expect(chain.orphanCount).toBe(0);
  });

  it('may not hand in blocks', () => {
    const { chain } = open();
    const { blocks } = mineChain(chain.genesis, 2);
    chain.events.once('committing', () => void accept(chain, blocks[1]!));
    expect(faultOf(() => accept(chain, blocks[0]!)).message).toMatch(/must not hand in blocks/);
    expect(chain.tip).toBe(chain.genesis);
  });
});

describe('a full disk', () => {
  it('is told as a fault, changes nothing, and blocks are taken again when there is room', () => {
    const dataDir = temporaryDirectory();
    const node = open({ dataDir });
    const { chain, database } = node;
    const { blocks } = mineChain(chain.genesis, 60, (index) => [`${index} ${'x'.repeat(3_000)}`]);
    const faults: Error[] = [];
    node.faults.on((error) => faults.push(error));
    acceptBatch(chain, blocks.slice(0, 5));
    const pages = database.pragma('page_count', { simple: true }) as number;
    database.pragma(`max_page_count = ${pages + 20}`);
    let taken = 5;
    const fault = faultOf(() => {
      for (; taken < blocks.length; taken++) accept(chain, blocks[taken]!);
    });
    expect(fault).toMatchObject({ code: 'SQLITE_FULL' });
    expect(taken).toBeGreaterThan(5);
    const image = imageOf(node);
    expect(chain.tip.height).toBe(taken);
    expect(faultOf(() => acceptBatch(chain, blocks.slice(taken)))).toMatchObject({ code: 'SQLITE_FULL' });
    expect(imageOf(node)).toEqual(image);
    expect(faults).toHaveLength(2);
    expect(chainData(chain)).toHaveLength(taken);
    database.pragma('max_page_count = 1000000');
    expect(acceptBatch(chain, blocks.slice(taken)).outcomes).toHaveLength(blocks.length - taken);
    expect(chain.tip.height).toBe(60);
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  it('in the midst of a reorganisation leaves the old branch whole', () => {
    const node = open({ dataDir: temporaryDirectory() });
    const { chain, database } = node;
    const mine = mineChain(chain.genesis, 30, (index) => [`mine ${index} ${'x'.repeat(1_000)}`]);
    const theirs = mineChain(chain.genesis, 30);
    acceptBatch(chain, [...mine.blocks, ...theirs.blocks]);
    const winning = mineOn(theirs.nodes[29]!, ['y'.repeat(16_000), 'z'.repeat(16_000)]);
    const image = imageOf(node);
    database.pragma(`max_page_count = ${database.pragma('page_count', { simple: true }) as number}`);
    expect(faultOf(() => accept(chain, winning))).toMatchObject({ code: 'SQLITE_FULL' });
    expect(imageOf(node)).toEqual(image);
    database.pragma('max_page_count = 1000000');
    expect(accept(chain, winning)).toMatchObject({ kind: 'reorganised', depth: 30 });
  });
});
