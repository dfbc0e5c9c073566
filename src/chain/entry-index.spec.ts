import Sqlite from 'better-sqlite3';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
  entry,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Timer } from '../common/clock.js';
import type { Block } from '../consensus/block.js';
import { isEntry, type Entry } from '../consensus/transaction.js';
import { DATABASE_FILE } from '../storage/database.js';
import { BlockDamagedError } from './chain.store.js';

/** Enough for three steps. */
const MANY = 2_500;

const entriesOf = ({ transactions }: Block): Entry[] => transactions.filter(isEntry);
const idsOf = (block: Block): string[] => entriesOf(block).map(({ id }) => id);

/** Runs what waits 0 ms one by one, as turns of the event loop do. */
class TurnClock extends VirtualClock {
  #waiting: (() => void)[] = [];

  override after(delayMs: number, run: () => void): Timer {
    if (delayMs > 0) return super.after(delayMs, run);
    this.#waiting.push(run);
    return { cancel: () => (this.#waiting = this.#waiting.filter((other) => other !== run)) };
  }

  /** False: nothing waits. */
  turn(): boolean {
    const run = this.#waiting.shift();
    run?.();
    return run !== undefined;
  }
}

describe('the index of entries', () => {
  let dataDir: string;
  let clock: TurnClock;
  let node: TestChain;

  beforeEach(() => {
    dataDir = temporaryDirectory();
    clock = new TurnClock();
    node = openChain({ dataDir, clock });
  });
  afterEach(() => node.close());

  const rows = (): unknown => node.database.prepare('SELECT count(*) FROM entries').pluck().get();
  const unindexed = (): unknown => node.database.prepare('SELECT count(*) FROM unindexed_blocks').pluck().get();
  const reopen = (): void => {
    node.close();
    node = openChain({ dataDir, clock });
  };
  /** A block on the tip. */
  const next = (entries: readonly (string | Entry)[]): Block => mineOn(node.chain.tip, entries);
  const many = (name: string): string[] => Array.from({ length: MANY }, (_, index) => `${name} ${index}`);
  const allTurns = (): void => {
    while (clock.turn());
  };

  it('takes up the entries of a big block in steps, and finds all of them at any time', () => {
    const block = next(many('big'));
    accept(node.chain, block);
    expect([rows(), unindexed()]).toEqual([0, 1]);
    for (const expected of [1_000, 2_000, MANY]) {
      expect(node.chain.hasTransactions(idsOf(block)).size).toBe(MANY);
      clock.turn();
      expect(rows()).toBe(expected);
    }
    expect([clock.turn(), unindexed()]).toEqual([false, 0]);
    expect(node.chain.hasTransactions(idsOf(block)).size).toBe(MANY);
    expect(() => accept(node.chain, next([entriesOf(block)[7]!]))).toThrow('already stands in this chain');
  });

  it('takes up those of a small block with it', () => {
    accept(node.chain, next(['one', 'two']));
    expect([rows(), unindexed()]).toEqual([2, 0]);
  });

  it('refuses an entry that stands in a block whose entries are not all indexed', () => {
    const block = next(many('big'));
    accept(node.chain, block);
    expect(() => accept(node.chain, next([entriesOf(block).at(-1)!]))).toThrow('already stands in this chain');
  });

  it('goes on at the next start with what a crash left', () => {
    const blocks: Block[] = [];
    for (const name of ['first', 'second']) {
      blocks.push(next(many(name)));
      accept(node.chain, blocks.at(-1)!);
    }
    clock.turn();
    expect(rows()).toBe(1_000);
    reopen();
    expect([rows(), unindexed()]).toEqual([2 * MANY, 0]);
    expect(node.chain.hasTransactions(blocks.flatMap(idsOf)).size).toBe(2 * MANY);
  });

  it('knows nothing of a block whose commit failed', () => {
    const off = node.chain.events.on('committing', () => {
      throw new Error('power cut');
    });
    const block = next(many('lost'));
    expect(() => accept(node.chain, block)).toThrow('power cut');
    off();
    expect([rows(), unindexed()]).toEqual([0, 0]);
    accept(node.chain, block);
    allTurns();
    expect(rows()).toBe(MANY);
  });

  it('writes the rows of many big blocks at once, rather than keep all of them in memory', () => {
    const blocks: Block[] = [];
    for (let count = 0; count < 10; count++) {
      blocks.push(next(many(`block ${count}`)));
      accept(node.chain, blocks.at(-1)!);
    }
    expect([rows(), unindexed()]).toEqual([2 * MANY, 8]);
    allTurns();
    expect(rows()).toBe(10 * MANY);
    expect(node.chain.hasTransactions(blocks.flatMap(idsOf)).size).toBe(10 * MANY);
  });

  it('tries again later where a step cannot be written', async () => {
    accept(node.chain, next(many('big')));
    const other = new Sqlite(join(dataDir, DATABASE_FILE));
    other.exec('BEGIN IMMEDIATE');
    allTurns();
    await clock.advance(500);
    expect(rows()).toBe(0);
    other.exec('ROLLBACK');
    other.close();
    await clock.advance(1_000);
    allTurns();
    expect(rows()).toBe(MANY);
  });

  it('takes a block that cannot be read for one that may hold any entry, until it is mended', () => {
    const block = next(many('big'));
    accept(node.chain, block);
    node.close();
    const file = new Sqlite(join(dataDir, DATABASE_FILE));
    file.exec('UPDATE blocks SET body = zeroblob(length(body)) WHERE id = (SELECT block_id FROM unindexed_blocks)');
    file.close();
    node = openChain({ dataDir, clock });
    const stranger = entry('elsewhere');
    expect(() => node.chain.hasTransaction(stranger.id)).toThrow(BlockDamagedError);
    node.chain.mend(node.chain.verify(block));
    expect(node.chain.hasTransaction(stranger.id)).toBe(false);
    expect(node.chain.hasTransactions(idsOf(block)).size).toBe(MANY);
    allTurns();
    expect(rows()).toBe(MANY);
  });

  describe('looked up ahead', () => {
    it('refuses what stood in the chain before, and what came into it meanwhile', () => {
      const before = next(['before']);
      accept(node.chain, before);
      for (const wait of [0, 1, 9]) {
        const parent = node.chain.tip;
        const meanwhile = next([`meanwhile ${wait}`]);
        const above = nodeOf(meanwhile, parent);
        for (const again of [entriesOf(before)[0]!, entriesOf(meanwhile)[0]!]) {
          const block = node.chain.verify(mineOn(above, [...many('ahead'), again]));
          const ahead = node.chain.lookAhead(block);
          for (let step = 0; step < wait; step++) ahead.step();
          if (node.chain.tip === parent) accept(node.chain, meanwhile);
          while (!ahead.isDone) ahead.step();
          expect(() => node.chain.accept(block)).toThrow('already stands in this chain');
        }
      }
    });

    it('takes a block with new entries, whether all of it was looked up or not', () => {
      for (const steps of [0, 1, 3]) {
        const block = node.chain.verify(next(many(`steps ${steps}`)));
        const ahead = node.chain.lookAhead(block);
        for (let step = 0; step < steps; step++) ahead.step();
        expect(node.chain.accept(block).kind).toBe('extended');
      }
    });
  });

  const seed = Math.floor(Math.random() * 2 ** 31);
  it(`finds what a plain list finds, as blocks and steps come in any order (seed ${seed})`, () => {
    const random = new SeededRandom(seed);
    const known: { readonly id: string; readonly isActive: () => boolean }[] = [];
    for (let round = 0; round < 25; round++) {
      const dice = random.next();
      if (dice < 0.6) {
        const base = node.chain.nodeAt(Math.max(0, node.chain.tip.height - random.below(3)))!;
        const size = random.pick([3, 900, 1_100, 2_300]);
        const block = mineOn(
          base,
          Array.from({ length: size }, (_, index) => `${round} ${index}`),
        );
        acceptBatch(node.chain, [block]);
        const { hash } = block;
        for (const id of idsOf(block)) known.push({ id, isActive: () => node.chain.isActive(node.chain.node(hash)!) });
      } else if (dice < 0.9) clock.turn();
      else reopen();
      const ids = known.map(({ id }) => id);
      const active = known.filter(({ isActive }) => isActive()).map(({ id }) => id);
      expect(node.chain.hasTransactions(ids)).toEqual(new Set(active));
    }
  });
});
