import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  chainData,
  easyParams,
  entry,
  mineChain,
  mineOn,
  mineTransactions,
  nodeOf,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { createBlock, decodeBlock, type Block } from '../consensus/block.js';
import { createParams } from '../consensus/params.js';
import type { Hash } from '../consensus/codec.js';
import { createCoinbase } from '../consensus/coinbase.js';
import type { AcceptOutcome, TipChange } from './chain.events.js';
import type { ChainService } from './chain.service.js';

let node: TestChain;
let chain: ChainService;

beforeEach(() => {
  node = openChain();
  chain = node.chain;
});

afterEach(() => node.close());

/** Opens another chain in place of the default one. */
function use(options: Parameters<typeof openChain>[0]): void {
  node.close();
  node = openChain(options);
  chain = node.chain;
}

function kinds(blocks: readonly Block[]): string[] {
  return blocks.map((block) => accept(chain, block).kind);
}

/** A block with a body that its header does not commit to. */
function withBody(block: Block, transactions: Block['transactions']): Block {
  return createBlock(block.header, transactions);
}

function hashesOf(items: readonly { readonly hash: Hash }[]): Hash[] {
  return items.map(({ hash }) => hash);
}

/** A change with hashes in place of nodes and blocks. */
function shapeOf(change: TipChange): unknown {
  const { previousTip, tip, forkPoint, disconnected, connected, arrived } = change;
  return {
    previousTip: previousTip.hash,
    tip: tip.hash,
    forkPoint: forkPoint.hash,
    disconnected: hashesOf(disconnected),
    connected: hashesOf(connected),
    arrived: hashesOf([...arrived.values()]),
  };
}

describe('a block on the tip', () => {
  it('extends the active chain and can be read back in every way', () => {
    const data = entry('hello');
    const block = mineOn(chain.tip, [data]);
    expect(accept(chain, block)).toEqual({ kind: 'extended', node: chain.tip });
    expect(chain.tip).toMatchObject({ hash: block.hash, height: 1, parent: chain.genesis });
    expect(chain.tip.chainWork).toBeGreaterThan(chain.genesis.chainWork);
    expect(chain.getBlock(block.hash)).toEqual(block);
    expect(chain.getBlockBytes(block.hash)).toEqual(block.bytes);
    expect(chain.getBlocks(0, 10)).toEqual([easyParams.genesis, block]);
    expect(chain.getHeaderBytes(1, 10)).toEqual([block.bytes.subarray(0, 80)]);
    expect(chain.findTransaction(data.id)).toEqual({ node: chain.tip, transaction: data });
    expect(chain.nodeAt(1)).toBe(chain.tip);
    expect(chain.node(block.hash)).toBe(chain.tip);
    expect(chain.isActive(chain.tip)).toBe(true);
  });

  it('is a duplicate the second time, whatever body comes with it', () => {
    const block = mineOn(chain.tip, ['a']);
    expect(kinds([block, block, withBody(block, block.transactions.slice(0, 1))])).toEqual([
      'extended',
      'duplicate',
      'duplicate',
    ]);
  });

  it('is told to the followers after the commit: the tip first, then the block', () => {
    const told: unknown[] = [];
    chain.events.on('tip', (change) => told.push(['tip', change.tip.height, chain.tip.height]));
    chain.events.on('block', ({ block, outcome }) => told.push(['block', block.hash, outcome.kind]));
    const block = mineOn(chain.tip);
    accept(chain, block);
    expect(told).toEqual([
      ['tip', 1, 1],
      ['block', block.hash, 'extended'],
    ]);
  });

  it('knows nothing of what it does not have', () => {
    const unknown = mineOn(chain.tip).hash;
    expect(chain.node(unknown)).toBeUndefined();
    expect(chain.getBlock(unknown)).toBeUndefined();
    expect(chain.getBlockBytes(unknown)).toBeUndefined();
    expect(chain.findTransaction(unknown)).toBeUndefined();
    expect(chain.nodeAt(1)).toBeUndefined();
    expect(chain.nodeAt(-1)).toBeUndefined();
    expect(chain.getBlocks(5, 10)).toEqual([]);
    expect(chain.invalidCode(unknown)).toBeUndefined();
  });
});

describe('fork choice', () => {
  it('keeps the first seen on a tie, stores the other as a side block', () => {
    const [first, second] = [mineOn(chain.genesis, ['first']), mineOn(chain.genesis, ['second'])];
    expect(kinds([first, second])).toEqual(['extended', 'side']);
    expect(chain.tip.hash).toBe(first.hash);
    expect(chain.competingTips()).toEqual([chain.node(second.hash)]);
    expect(chain.isActive(chain.node(second.hash)!)).toBe(false);
    expect(chain.getBlock(second.hash)).toEqual(second);
    expect(chainData(chain)).toEqual(['first']);
  });

  it('moves to the branch with more work, and tells exactly what left and what came', () => {
    const mine = mineChain(chain.genesis, 2, (index) => [`mine ${index}`]);
    const theirs = mineChain(chain.genesis, 3, (index) => [`theirs ${index}`]);
    const changes: TipChange[] = [];
    expect(kinds([...mine.blocks, ...theirs.blocks.slice(0, 2)])).toEqual(['extended', 'extended', 'side', 'side']);
    chain.events.on('tip', (change) => changes.push(change));
    expect(accept(chain, theirs.blocks[2]!)).toMatchObject({ kind: 'reorganised', depth: 2 });
    expect(changes.map(shapeOf)).toEqual([
      {
        previousTip: mine.blocks[1]!.hash,
        tip: theirs.blocks[2]!.hash,
        forkPoint: chain.genesis.hash,
        disconnected: hashesOf(mine.blocks.toReversed()),
        connected: hashesOf(theirs.blocks),
        arrived: [theirs.blocks[2]!.hash],
      },
    ]);
    expect(chainData(chain)).toEqual(['theirs 0', 'theirs 1', 'theirs 2']);
    expect(chain.findTransaction(mine.blocks[0]!.transactions[1]!.id)).toBeUndefined();
    const inTheirs = theirs.blocks[1]!.transactions[1]!;
    expect(chain.findTransaction(inTheirs.id)).toEqual({ node: chain.nodeAt(2), transaction: inTheirs });
    expect(chain.competingTips()).toEqual([]);
  });

  it('goes by work, not by length', () => {
    const params = createParams({ network: 'work', difficulty: 0, retargetInterval: 4, targetSpacingSeconds: 100 });
    use({ params });
    const slow: Block[] = [];
    const fast: Block[] = [];
    for (const [branch, length, spacing] of [
      [slow, 6, 400],
      [fast, 5, 1],
    ] as const) {
      let at = chain.genesis;
      for (let i = 0; i < length; i++) {
        const block = mineOn(at, [], { params, time: at.time + spacing });
        branch.push(block);
        at = nodeOf(block, at);
      }
    }
    kinds(slow);
    expect(kinds(fast)).toEqual(['side', 'side', 'side', 'reorganised', 'extended']);
    expect(chain.tip.height).toBe(5);
  });

  it('reorganises deeply and back again', () => {
    const mine = mineChain(chain.genesis, 300, (index) => [`mine ${index}`]);
    const theirs = mineChain(mine.nodes[9]!, 300);
    const again = mineChain(mine.nodes.at(-1)!, 20);
    acceptBatch(chain, [...mine.blocks, ...theirs.blocks]);
    expect(chain.tip.hash).toBe(theirs.blocks.at(-1)!.hash);
    expect(chainData(chain)).toHaveLength(10);
    const { outcomes } = acceptBatch(chain, again.blocks);
    expect(outcomes.map(({ kind }) => kind)).toContain('reorganised');
    expect(chain.tip.hash).toBe(again.blocks.at(-1)!.hash);
    expect(chainData(chain)).toHaveLength(300);
    expect(chain.getBlocks(0, 1_000).map(({ hash }) => hash)).toEqual([
      easyParams.genesis.hash,
      ...[...mine.blocks, ...again.blocks].map(({ hash }) => hash),
    ]);
  });

  it('lets an entry stand again on the branch that takes over, at another height', () => {
    const data = entry('in both');
    kinds([mineOn(chain.genesis, [data])]);
    const first = mineOn(chain.genesis);
    const second = mineOn(nodeOf(first, chain.genesis), [data]);
    expect(kinds([first, second])).toEqual(['side', 'reorganised']);
    expect(chain.findTransaction(data.id)).toEqual({ node: chain.tip, transaction: data });
  });
});

describe('an entry twice in one chain', () => {
  it('makes a block on the tip invalid', () => {
    const data = entry('once');
    accept(chain, mineOn(chain.tip, [data]));
    const again = mineOn(chain.tip, [data]);
    expect(brokenRule(() => accept(chain, again))).toBe('txn-already-in-chain');
    expect(chain.invalidCode(again.hash)).toBe('txn-already-in-chain');
    expect(chain.tip.height).toBe(1);
  });

  it('makes a side block invalid as soon as it comes, and what stands on it', () => {
    const below = entry('below the fork');
    const root = mineOn(chain.genesis, [below]);
    const fork = nodeOf(root, chain.genesis);
    const mine = mineChain(fork, 4, (index) => [`mine ${index}`]);
    const good = mineOn(fork, ['good', 'also good']);
    const goodNode = nodeOf(good, fork);
    const bad = mineOn(goodNode, [good.transactions[1]!]);
    const alsoBad = mineOn(goodNode, [below]);
    const onBad = mineOn(nodeOf(bad, goodNode));
    expect(kinds([root, ...mine.blocks, good]).at(-1)).toBe('side');
    expect(brokenRule(() => accept(chain, bad))).toBe('txn-already-in-chain');
    expect(brokenRule(() => accept(chain, alsoBad))).toBe('txn-already-in-chain');
    expect(brokenRule(() => accept(chain, onBad))).toBe('bad-prevblk');
    expect([good, bad, alsoBad, onBad].map(({ hash }) => chain.invalidCode(hash))).toEqual([
      undefined,
      'txn-already-in-chain',
      'txn-already-in-chain',
      'bad-prevblk',
    ]);
    expect(chain.node(bad.hash)).toBeUndefined();
    // What stands on the other branch may stand on this one too.
    const mineOnly = mine.blocks[1]!.transactions[1]!;
    expect(kinds([mineOn(goodNode, [mineOnly])])).toEqual(['side']);
    expect(kinds(mineChain(chain.node(good.hash)!, 4).blocks).at(-1)).toBe('reorganised');
  });

  it('is found within one batch, on the active chain and on a branch', () => {
    const twice = entry('twice');
    const first = mineOn(chain.genesis, [twice]);
    const second = mineOn(nodeOf(first, chain.genesis), [twice]);
    expect(acceptBatch(chain, [first, second]).error?.code).toBe('txn-already-in-chain');
    const branch = mineOn(chain.genesis, [twice]);
    const onBranch = mineOn(nodeOf(branch, chain.genesis), [twice]);
    expect(acceptBatch(chain, [branch, onBranch]).error?.code).toBe('txn-already-in-chain');
    expect(chain.tip.hash).toBe(first.hash);
  });
});

describe('invalid blocks', () => {
  it('are remembered, and so are their descendants', () => {
    const bad = mineOn(chain.tip, [], { coinbaseHeight: 7 });
    const child = mineOn(nodeOf(bad, chain.tip));
    const grandchild = mineOn(nodeOf(child, nodeOf(bad, chain.tip)));
    for (let time = 0; time < 2; time++) {
      expect(brokenRule(() => accept(chain, bad))).toBe('bad-cb-height');
      expect(brokenRule(() => accept(chain, child))).toBe('bad-prevblk');
      expect(brokenRule(() => accept(chain, grandchild))).toBe('bad-prevblk');
    }
    expect([bad, child, grandchild].map(({ hash }) => chain.invalidCode(hash))).toEqual([
      'bad-cb-height',
      'bad-prevblk',
      'bad-prevblk',
    ]);
  });

  it('cost work before they are remembered or kept as orphans', () => {
    const hard = createParams({ network: 'hard', difficulty: 8 });
    use({ params: hard });
    const cheap = mineOn(chain.genesis, [], { bits: easyParams.limitBits });
    const orphan = mineOn(nodeOf(cheap, chain.genesis), [], { bits: easyParams.limitBits });
    for (const block of [cheap, orphan]) {
      expect(brokenRule(() => accept(chain, block))).toBe('high-hash');
      expect(chain.invalidCode(block.hash)).toBeUndefined();
    }
    expect(chain.orphanCount).toBe(0);
  });

  it('do not include a block that is ahead of the clock: it is taken when its time has come', async () => {
    const clock = new VirtualClock();
    use({ clock });
    const nowSeconds = clock.nowMs() / 1000;
    const early = mineOn(chain.tip, [], { time: nowSeconds + 7_201 });
    expect(brokenRule(() => accept(chain, early))).toBe('time-too-new');
    expect(chain.invalidCode(early.hash)).toBeUndefined();
    await clock.advance(1_000);
    expect(accept(chain, early).kind).toBe('extended');
  });

  it('do not include an honest block whose body was swapped or mutated on the way', () => {
    const honest = mineOn(chain.tip, ['a', 'b']);
    const [coinbase, a, b] = honest.transactions as [Block['transactions'][0], ...Block['transactions']];
    const mutated = withBody(honest, [coinbase, a!, b!, b!]);
    expect(brokenRule(() => accept(chain, mutated))).toBe('bad-txns-duplicate');
    expect(brokenRule(() => accept(chain, withBody(honest, [coinbase, a!])))).toBe('bad-txnmrklroot');
    expect(chain.invalidCode(honest.hash)).toBeUndefined();
    expect(accept(chain, honest).kind).toBe('extended');
  });

  it('do not take the place of the honest body in the orphan pool either', () => {
    const parent = mineOn(chain.tip);
    const honest = mineOn(nodeOf(parent, chain.tip), ['a']);
    expect(brokenRule(() => accept(chain, withBody(honest, [honest.transactions[0]!])))).toBe('bad-txnmrklroot');
    expect(kinds([honest, parent])).toEqual(['orphan', 'extended']);
    expect(chain.tip.hash).toBe(honest.hash);
  });

  it('are found by the body even before the parent is known', () => {
    const parent = mineOn(chain.tip);
    const coinbase = createCoinbase(2, 1n, 'm');
    const bad = mineTransactions(nodeOf(parent, chain.tip), [coinbase, createCoinbase(2, 2n, 'm')]);
    expect(brokenRule(() => accept(chain, bad))).toBe('bad-cb-multiple');
    expect(chain.invalidCode(bad.hash)).toBe('bad-cb-multiple');
  });
});

describe('orphans', () => {
  it('are kept and name the oldest block that is missing', () => {
    const { blocks } = mineChain(chain.tip, 4);
    expect(accept(chain, blocks[2]!)).toEqual({ kind: 'orphan', missing: blocks[1]!.hash });
    expect(accept(chain, blocks[3]!)).toEqual({ kind: 'orphan', missing: blocks[1]!.hash });
    expect(accept(chain, blocks[3]!)).toEqual({ kind: 'orphan', missing: blocks[1]!.hash });
    expect(chain.orphanCount).toBe(2);
    expect(chain.node(blocks[3]!.hash)).toBeUndefined();
    expect(accept(chain, blocks[0]!).kind).toBe('extended');
    expect(accept(chain, blocks[1]!).kind).toBe('extended');
    expect(chain.tip.hash).toBe(blocks[3]!.hash);
    expect(chain.orphanCount).toBe(0);
    expect(chain.orphanBytes).toBe(0);
  });

  it('are adopted in any order, branches and all, in one commit', () => {
    const trunk = mineChain(chain.tip, 150);
    const branch = mineChain(trunk.nodes[20]!, 30);
    const told: AcceptOutcome[] = [];
    const changes: TipChange[] = [];
    for (const block of [...trunk.blocks.slice(1).toReversed(), ...branch.blocks]) {
      expect(accept(chain, block).kind).toBe('orphan');
    }
    chain.events.on('block', ({ outcome }) => told.push(outcome));
    chain.events.on('tip', (change) => changes.push(change));
    expect(accept(chain, trunk.blocks[0]!)).toMatchObject({ kind: 'extended', node: { height: 1 } });
    expect(chain.tip.hash).toBe(trunk.blocks.at(-1)!.hash);
    expect(told).toHaveLength(180);
    expect(changes).toHaveLength(1);
    expect(hashesOf(changes[0]!.connected)).toEqual(hashesOf(trunk.blocks));
    expect(chain.orphanCount).toBe(0);
  });

  it('that turn out invalid are remembered with what stands on them, and do not fail their parent', () => {
    const parent = mineOn(chain.tip);
    const parentNode = nodeOf(parent, chain.tip);
    const bad = mineOn(parentNode, [], { coinbaseHeight: 9 });
    const onBad = mineOn(nodeOf(bad, parentNode));
    const good = mineOn(parentNode, ['good']);
    expect(kinds([onBad, bad, good, parent])).toEqual(['orphan', 'orphan', 'orphan', 'extended']);
    expect(chain.tip.hash).toBe(good.hash);
    expect(chain.invalidCode(bad.hash)).toBe('bad-cb-height');
    expect(chain.invalidCode(onBad.hash)).toBe('bad-prevblk');
    expect(chain.orphanCount).toBe(0);
  });

  it('are found invalid when their parent is', () => {
    const bad = mineOn(chain.tip, [], { coinbaseHeight: 9 });
    const orphan = mineOn(nodeOf(bad, chain.tip));
    expect(kinds([orphan])).toEqual(['orphan']);
    expect(brokenRule(() => accept(chain, bad))).toBe('bad-cb-height');
    expect(chain.invalidCode(orphan.hash)).toBe('bad-prevblk');
    expect(chain.orphanCount).toBe(0);
  });

  it('expire', async () => {
    const clock = new VirtualClock();
    use({ clock });
    const { blocks } = mineChain(chain.tip, 2);
    accept(chain, blocks[1]!);
    await clock.advance(10 * 60_000);
    accept(chain, blocks[0]!);
    expect(chain.tip.height).toBe(1);
    expect(chain.orphanCount).toBe(0);
  });
});

describe('acceptBatch', () => {
  it('commits once, and tells of one move of the tip', () => {
    const { blocks } = mineChain(chain.tip, 50, (index) => [`entry ${index}`]);
    let commits = 0;
    const changes: TipChange[] = [];
    chain.events.on('committing', () => commits++);
    chain.events.on('tip', (change) => changes.push(change));
    const { outcomes, error } = acceptBatch(chain, blocks);
    expect(error).toBeUndefined();
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(50).fill('extended'));
    expect(commits).toBe(1);
    expect(changes.map(shapeOf)).toEqual([
      {
        previousTip: chain.genesis.hash,
        tip: chain.tip.hash,
        forkPoint: chain.genesis.hash,
        disconnected: [],
        connected: hashesOf(blocks),
        arrived: hashesOf(blocks),
      },
    ]);
  });

  it('keeps what came before the first block that breaks a rule, and leaves the rest', () => {
    const { blocks, nodes } = mineChain(chain.tip, 3);
    const bad = mineOn(nodes[2]!, [], { coinbaseHeight: 1 });
    const after = mineOn(nodes[2]!);
    const { outcomes, error } = acceptBatch(chain, [...blocks, bad, after]);
    expect(outcomes).toHaveLength(3);
    expect(error?.code).toBe('bad-cb-height');
    expect(chain.tip.hash).toBe(blocks[2]!.hash);
    expect(chain.invalidCode(bad.hash)).toBe('bad-cb-height');
    expect(chain.node(after.hash)).toBeUndefined();
  });

  it('can reorganise in its midst: the change told is the difference between before and after', () => {
    const mine = mineChain(chain.genesis, 2, () => ['mine']);
    const theirs = mineChain(chain.genesis, 5, () => ['theirs']);
    acceptBatch(chain, mine.blocks);
    const changes: TipChange[] = [];
    chain.events.on('tip', (change) => changes.push(change));
    const { outcomes } = acceptBatch(chain, theirs.blocks);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['side', 'side', 'reorganised', 'extended', 'extended']);
    expect(changes).toHaveLength(1);
    expect(hashesOf(changes[0]!.disconnected)).toEqual(hashesOf(mine.blocks.toReversed()));
    expect(hashesOf(changes[0]!.connected)).toEqual(hashesOf(theirs.blocks));
  });

  it('with nothing in it does nothing', () => {
    expect(acceptBatch(chain, [])).toEqual({ outcomes: [] });
  });
});

describe('max_reorg_depth', () => {
  it('keeps a better branch aside that would undo more, tells of it once, and takes one that does not', async () => {
    const params = createParams({ network: 'test', difficulty: 0, maxReorgDepth: 3 });
    use({ params });
    const mine = mineChain(chain.genesis, 4);
    const deep = mineChain(chain.genesis, 7);
    acceptBatch(chain, [...mine.blocks, ...deep.blocks]);
    expect(chain.tip.hash).toBe(mine.blocks[3]!.hash);
    expect(chain.node(deep.blocks[6]!.hash)).toBeDefined();
    expect(await node.registry.getSingleMetricAsString('minichain_reorgs_refused_total')).toMatch(/ 1$/m);
    const shallow = mineChain(mine.nodes[0]!, 4);
    expect(kinds(shallow.blocks).at(-1)).toBe('reorganised');
    expect(kinds(mineChain(deep.nodes[6]!, 1).blocks)).toEqual(['side']);
    expect(chain.tip.hash).toBe(shallow.blocks[3]!.hash);
  });
});

describe('checkpoints', () => {
  it('refuse another block at their height', () => {
    const { blocks } = mineChain(chain.genesis, 2);
    use({ params: createParams({ network: 'test', difficulty: 0, checkpoints: new Map([[1, blocks[0]!.hash]]) }) });
    const other = mineOn(chain.genesis);
    expect(brokenRule(() => accept(chain, other))).toBe('checkpoint-mismatch');
    expect(kinds(blocks)).toEqual(['extended', 'extended']);
  });
});

describe('locators', () => {
  it('name the chain from the tip down, and find the highest block in common', () => {
    const mine = mineChain(chain.genesis, 40);
    const theirs = mineChain(mine.nodes[19]!, 10);
    acceptBatch(chain, [...mine.blocks, ...theirs.blocks]);
    const locator = chain.locator();
    expect(locator[0]).toBe(chain.tip.hash);
    expect(locator.at(-1)).toBe(chain.genesis.hash);
    const foreign = [
      ...theirs.blocks.map(({ hash }) => hash).toReversed(),
      mine.blocks[10]!.hash,
      mine.blocks[19]!.hash,
    ];
    expect(chain.findLocatorFork(foreign)).toBe(chain.nodeAt(20));
    expect(chain.findLocatorFork(['ab'.repeat(32)])).toBe(chain.genesis);
    expect(chain.findLocatorFork([])).toBe(chain.genesis);
    expect(chain.findLocatorFork(locator)).toBe(chain.tip);
  });
});

describe('listeners', () => {
  it('hear `committed` before any hears `tip`, and `block` last, whoever subscribed first', () => {
    const told: string[] = [];
    chain.events.on('block', () => told.push('block'));
    chain.events.on('tip', () => told.push('tip'));
    chain.events.on('committed', () => told.push('committed'));
    chain.events.on('committing', () => told.push('committing'));
    accept(chain, mineOn(chain.tip));
    expect(told).toEqual(['committing', 'committed', 'tip', 'block']);
  });

  it('hear of commits in order, also when one of them makes the next', () => {
    const { blocks } = mineChain(chain.tip, 2);
    const heights: number[] = [];
    chain.events.once('tip', () => void accept(chain, blocks[1]!));
    chain.events.on('tip', ({ tip }) => heights.push(tip.height));
    accept(chain, blocks[0]!);
    expect(heights).toEqual([1, 2]);
  });

  it('that throw after the commit are told as a fault, and change nothing for the others', () => {
    const faults: string[] = [];
    let heard = 0;
    node.faults.on((error) => faults.push(error.message));
    chain.events.on('tip', () => {
      throw new Error('broken listener');
    });
    chain.events.on('tip', () => heard++);
    expect(accept(chain, mineOn(chain.tip)).kind).toBe('extended');
    expect(heard).toBe(1);
    expect(faults).toEqual(['broken listener']);
  });
});

describe('metrics', () => {
  it('count outcomes, codes, connected blocks and depths, and mirror the chain', async () => {
    const mine = mineChain(chain.genesis, 1);
    const theirs = mineChain(chain.genesis, 2);
    acceptBatch(chain, [...mine.blocks, ...theirs.blocks, theirs.blocks[0]!]);
    accept(chain, mineChain(chain.tip, 2).blocks[1]!);
    brokenRule(() => accept(chain, mineOn(chain.tip, [], { coinbaseHeight: 0 })));
    const text = await node.registry.metrics();
    for (const line of [
      'minichain_blocks_accepted_total{outcome="extended"} 1',
      'minichain_blocks_accepted_total{outcome="side"} 1',
      'minichain_blocks_accepted_total{outcome="reorganised"} 1',
      'minichain_blocks_accepted_total{outcome="duplicate"} 1',
      'minichain_blocks_accepted_total{outcome="orphan"} 1',
      'minichain_blocks_rejected_total{code="bad-cb-height"} 1',
      'minichain_blocks_connected_total 2',
      'minichain_reorg_depth_blocks_sum 1',
      'minichain_chain_height 2',
      'minichain_orphan_blocks 1',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).toMatch(/minichain_block_accept_duration_seconds_count{call="one"} 2\n/);
    expect(text).toMatch(/minichain_chain_work [1-9]/);
    expect(text).toMatch(/minichain_tip_age_seconds [1-9]/);
  });
});

it('stores exactly the bytes that came', () => {
  const block = decodeBlock(mineOn(chain.tip, ['ünïcode ✓', '\ufeffBOM']).bytes);
  accept(chain, block);
  expect(chain.getBlockBytes(block.hash)).toEqual(block.bytes);
  expect(chainData(chain)).toEqual(['ünïcode ✓', '\ufeffBOM']);
});
