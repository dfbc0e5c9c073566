import { describe, expect, it, onTestFinished } from 'vitest';
import {
  accept,
  easyParams,
  entry,
  genesisNode,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { signedEntry } from '../../test/support/signing.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { RuleError } from '../consensus/rule-error.js';
import { isEntry, type Entry } from '../consensus/transaction.js';

const OPERATIONS = 150;

interface Mined {
  readonly block: Block;
  readonly node: BlockNode;
  /** Its ancestors, itself the last. */
  readonly branch: readonly Block[];
}

function entriesOf(blocks: readonly Block[]): Entry[] {
  return blocks.flatMap(({ transactions }) => transactions.filter(isEntry));
}

/** What chain and mempool must come to, said as plainly as possible: no tree, no index, everything computed anew. */
class Model {
  /** Blocks whose ancestors are all here, in the order in which that came about. */
  readonly stored: Mined[] = [];
  /** Blocks that wait for an ancestor, in order of arrival. */
  orphans: Mined[] = [];
  /** All entries that were promised, and those that blocks of the active chain brought. */
  readonly known = new Map<Hash, Entry>();

  /** Most work, first stored, of those in whose branch no entry stands twice; no more needs saying. */
  get active(): readonly Block[] {
    let best: Mined | undefined;
    for (const mined of this.stored) {
      const ids = entriesOf(mined.branch).map(({ id }) => id);
      if (new Set(ids).size < ids.length) continue;
      if (best === undefined || mined.node.chainWork > best.node.chainWork) best = mined;
    }
    return best?.branch ?? [];
  }

  deliver(mined: Mined): void {
    this.orphans.push(mined);
    const has = ({ header }: Block): boolean =>
      header.previousHash === easyParams.genesis.hash ||
      this.stored.some(({ block }) => block.hash === header.previousHash);
    for (let next = mined, queue = [mined]; queue.length > 0;) {
      next = queue.shift()!;
      if (!has(next.block) || this.stored.includes(next)) continue;
      this.stored.push(next);
      this.orphans = this.orphans.filter((orphan) => orphan !== next);
      queue.push(...this.orphans.filter(({ block }) => block.header.previousHash === next.block.hash));
    }
  }

  /** Everything known is in the active chain or waits, never both. */
  get waiting(): Set<Hash> {
    const mined = new Set(entriesOf(this.active).map(({ id }) => id));
    return new Set([...this.known.keys()].filter((id) => !mined.has(id)));
  }
}

interface Image {
  readonly tip: Hash;
  readonly height: number;
  readonly waiting: readonly Hash[];
  readonly mined: readonly Hash[];
}

class Run {
  readonly random: SeededRandom;
  readonly clock = new VirtualClock();
  readonly model = new Model();
  readonly mined: Mined[] = [];
  /** Mined, but not delivered yet. */
  withheld: Mined[] = [];
  node: TestChain;

  constructor(
    seed: number,
    private readonly dataDir: string,
  ) {
    this.random = new SeededRandom(seed);
    this.node = this.open();
  }

  open(): TestChain {
    return openChain({ dataDir: this.dataDir, clock: this.clock });
  }

  async step(): Promise<void> {
    const dice = this.random.next();
    if (dice < 0.25) await this.post();
    else if (dice < 0.35) await this.gossip();
    else if (dice < 0.7) this.mine();
    else if (dice < 0.9) this.deliver([this.random.pick(this.withheld)]);
    else if (dice < 0.93) this.deliver(this.withheld.slice(0, 4));
    else if (dice < 0.96) this.fail();
    else this.restart();
  }

  async post(): Promise<void> {
    const promises = Array.from({ length: 1 + this.random.below(3) }, () => this.node.mempool.submit('posted'));
    await this.clock.advance(0);
    for (const transaction of await Promise.all(promises)) this.model.known.set(transaction.id, transaction);
  }

  async gossip(): Promise<void> {
    const fresh =
      this.random.next() < 0.5
        ? entry('gossiped')
        : signedEntry(`gossiped as number ${this.model.known.size}`, easyParams.genesis.hash);
    const transactions: Entry[] = [fresh, ...[...this.model.known.values()].slice(0, 2)];
    const promise = this.node.mempool.acceptFromPeer(transactions, 'peer');
    await this.clock.advance(0);
    if ((await promise)[0]!.result !== 'accepted') throw new Error('a fresh entry was not accepted');
    this.model.known.set(transactions[0]!.id, transactions[0]!);
  }

  /** Mines on a recent block with entries of our own, of others, and now and then one that stands there already. */
  mine(): void {
    const parent =
      this.random.next() < 0.04
        ? undefined
        : this.mined.at(-1 - this.random.below(Math.min(4, this.mined.length || 1)));
    const branch = parent?.branch ?? [];
    const below = entriesOf(branch);
    const taken = new Set(below.map(({ id }) => id));
    const entries: Entry[] = [...this.model.known.values()]
      .filter(({ id }) => !taken.has(id) && this.random.next() < 0.4)
      .slice(0, 5);
    if (this.random.next() < 0.3) entries.push(entry('of another node'));
    if (below.length > 0 && this.random.next() < 0.1) entries.push(this.random.pick(below));
    const at = parent?.node ?? genesisNode();
    const block = mineOn(at, entries);
    const mined = { block, node: nodeOf(block, at), branch: [...branch, block] };
    this.mined.push(mined);
    this.withheld.push(mined);
    if (this.random.next() < 0.6) this.deliver([mined]);
  }

  deliver(batch: readonly (Mined | undefined)[]): void {
    for (const mined of batch) {
      if (mined === undefined) continue;
      this.withheld = this.withheld.filter((other) => other !== mined);
      try {
        accept(this.node.chain, mined.block);
      } catch (error) {
        if (!(error instanceof RuleError)) throw error;
      }
      this.model.deliver(mined);
      this.#learn();
    }
  }

  /** A commit that fails, on which nothing may hang. */
  fail(): void {
    const mined = this.withheld.at(-1);
    if (mined === undefined) return;
    const { chain } = this.node;
    const listener = (): void => {
      throw new Error('power cut');
    };
    const off = chain.events.on('committing', listener);
    try {
      accept(chain, mined.block);
      this.deliver([mined]);
    } catch (error) {
      if (error instanceof RuleError) this.deliver([mined]);
      else if ((error as Error).message !== 'power cut') throw error;
    } finally {
      off();
    }
  }

  restart(): void {
    this.node.close();
    this.node = this.open();
    // Orphans are in memory alone: whoever sent them sends them again.
    this.withheld.push(...this.model.orphans);
    this.model.orphans = [];
  }

  /** After a reorganisation of many blocks the mempool goes on in later turns. */
  async settle(): Promise<void> {
    await this.clock.until('the mempool is settled', () => !this.node.mempool.isSettling, 10_000);
  }

  get found(): Image {
    const { chain, mempool } = this.node;
    const mined = [...this.model.known.keys()].filter((id) => chain.hasTransaction(id));
    return {
      tip: chain.tip.hash,
      height: chain.tip.height,
      waiting: mempool.ids().toSorted(),
      mined: mined.toSorted(),
    };
  }

  get expected(): Image {
    const { active, waiting, known } = this.model;
    const mined = [...known.keys()].filter((id) => !waiting.has(id));
    const tip = (active.at(-1) ?? easyParams.genesis).hash;
    return { tip, height: active.length, waiting: [...waiting].toSorted(), mined: mined.toSorted() };
  }

  /** What a block of the active chain brought is given back like our own when it leaves. */
  #learn(): void {
    for (const transaction of entriesOf(this.model.active)) this.model.known.set(transaction.id, transaction);
  }
}

describe('random operations: most work first seen is active, and every entry stands once in chain or mempool', () => {
  const seeds = [1, 2, 3, Math.floor(Math.random() * 2 ** 31)];

  it.each(seeds)('seed %d', async (seed) => {
    const run = new Run(seed, temporaryDirectory());
    onTestFinished(() => run.node.close());
    for (let step = 0; step < OPERATIONS; step++) {
      await run.step();
      await run.settle();
      expect(run.found).toEqual(run.expected);
    }
    while (run.withheld.length > 0) {
      run.deliver([run.withheld[0]]);
      await run.settle();
      expect(run.found).toEqual(run.expected);
    }
    run.restart();
    await run.settle();
    expect(run.found).toEqual(run.expected);
    const { chain, database } = run.node;
    const stored = entriesOf(chain.getBlocks(0, 10_000));
    expect(new Set(stored.map(({ id }) => id)).size).toBe(stored.length);
    expect(stored).toEqual(entriesOf(run.model.active));
    expect(database.pragma('integrity_check', { simple: true })).toBe('ok');
    const inBlocks = run.mined
      .filter(({ block }) => chain.node(block.hash) !== undefined)
      .flatMap(({ block }) => entriesOf([block]));
    expect(database.prepare('SELECT count(*) FROM entries').pluck().get()).toBe(inBlocks.length);
    expect(database.prepare('SELECT count(*) FROM unsettled_blocks').pluck().get()).toBe(0);
  });
});
