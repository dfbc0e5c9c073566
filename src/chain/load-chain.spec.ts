import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import {
  easyParams,
  genesisNode,
  mineChain,
  mineOn,
  nodeOf,
  openChain,
  type TestChain,
  type TestChainOptions,
} from '../../test/support/chain-builders.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { createParams } from '../consensus/params.js';
import { DATABASE_FILE } from '../storage/database.js';
import { DatabaseDamagedError } from '../storage/storage-errors.js';
import type { ChainService } from './chain.service.js';
import { CheckpointConflictError, WrongNetworkError } from './load-chain.js';

/** Opens a chain, uses it and closes it again. */
function within<T>(options: TestChainOptions, use: (node: TestChain) => T): T {
  const node = openChain(options);
  try {
    return use(node);
  } finally {
    node.close();
  }
}

function imageOf(chain: ChainService): unknown {
  return {
    tip: chain.tip,
    active: chain.getBlocks(0, 1_000),
    competing: chain.competingTips(),
    locator: chain.locator(),
  };
}

/** Changes the closed database by hand. */
function tamper(dataDir: string, sql: string): void {
  const database = new Sqlite(join(dataDir, DATABASE_FILE));
  database.exec(sql);
  database.close();
}

describe('a restart', () => {
  it('of an empty chain finds the genesis alone', () => {
    const dataDir = temporaryDirectory();
    for (let time = 0; time < 2; time++) {
      within({ dataDir }, ({ chain }) => {
        expect(chain.tip).toBe(chain.genesis);
        expect(chain.getBlocks(0, 10)).toEqual([easyParams.genesis]);
      });
    }
  });

  it('finds the chain, its side branches and the verdicts as they were', () => {
    const dataDir = temporaryDirectory();
    const bad = mineOn(genesisNode(), [], { coinbaseHeight: 3 });
    const before = within({ dataDir }, ({ chain }) => {
      const trunk = mineChain(chain.genesis, 20, (index) => [`entry ${index}`]);
      chain.acceptBatch([...trunk.blocks, ...mineChain(trunk.nodes[4]!, 15).blocks]);
      brokenRule(() => chain.accept(bad));
      return imageOf(chain);
    });
    within({ dataDir }, ({ chain }) => {
      expect(imageOf(chain)).toEqual(before);
      expect(chain.competingTips()).toHaveLength(1);
      expect(chain.isInvalid(bad.hash)).toBe('bad-cb-height');
    });
  });

  it('keeps the first seen of two equal tips, also after a reorganisation', () => {
    const dataDir = temporaryDirectory();
    const mine = mineChain(genesisNode(), 3);
    const theirs = mineChain(genesisNode(), 3);
    const tip = within({ dataDir }, ({ chain }) => {
      chain.acceptBatch([...mine.blocks.slice(0, 2), ...theirs.blocks, mine.blocks[2]!]);
      return chain.tip.hash;
    });
    expect(tip).toBe(theirs.blocks[2]!.hash);
    within({ dataDir }, ({ chain }) => {
      expect(chain.tip.hash).toBe(tip);
      expect(chain.accept(mineOn(mine.nodes[2]!)).kind).toBe('reorganised');
    });
  });

  it('forgets verdicts that hang on checkpoints, which may be others now', () => {
    const dataDir = temporaryDirectory();
    const { blocks } = mineChain(genesisNode(), 2);
    const other = mineOn(genesisNode());
    const onOther = mineOn(nodeOf(other, genesisNode()));
    const checked = createParams({ network: 'test', difficulty: 0, checkpoints: new Map([[1, blocks[0]!.hash]]) });
    within({ dataDir, params: checked }, ({ chain }) => {
      expect(brokenRule(() => chain.accept(other))).toBe('checkpoint-mismatch');
      expect(brokenRule(() => chain.accept(onOther))).toBe('bad-prevblk');
    });
    within({ dataDir }, ({ chain }) => {
      expect(chain.accept(other).kind).toBe('extended');
      expect(chain.accept(onOther).kind).toBe('extended');
    });
  });
});

describe('a data directory that does not fit', () => {
  it('because it is of another network is refused, with both genesis hashes', () => {
    const dataDir = temporaryDirectory();
    within({ dataDir }, ({ chain }) => chain.accept(mineOn(chain.tip)));
    const params = createParams({ network: 'other', difficulty: 0 });
    const open = (): unknown => within({ dataDir, params }, () => 0);
    expect(open).toThrow(WrongNetworkError);
    for (const part of ['belongs to another network', dataDir, easyParams.genesis.hash, params.genesis.hash]) {
      expect(open).toThrow(part);
    }
    within({ dataDir }, ({ chain }) => expect(chain.tip.height).toBe(1));
  });

  it('because its active chain breaks a new checkpoint is refused', () => {
    const dataDir = temporaryDirectory();
    const found = within({ dataDir }, ({ chain }) => {
      chain.accept(mineOn(chain.tip));
      return chain.tip.hash;
    });
    const checkpointAt = (height: number, hash: string): TestChainOptions => ({
      dataDir,
      params: createParams({ network: 'test', difficulty: 0, checkpoints: new Map([[height, hash]]) }),
    });
    expect(() => within(checkpointAt(1, 'ab'.repeat(32)), () => 0)).toThrow(CheckpointConflictError);
    within(checkpointAt(1, found), ({ chain }) => expect(chain.tip.hash).toBe(found));
    within(checkpointAt(2, 'ab'.repeat(32)), ({ chain }) => expect(chain.tip.hash).toBe(found));
  });

  it.each([
    ['a block in the middle is gone', 'DELETE FROM blocks WHERE height = 2'],
    [
      'the active chain has lost its end',
      'DELETE FROM active_chain WHERE height = 5; UPDATE active_chain SET height = 9 WHERE height = 4',
    ],
    [
      'a block of a side branch is marked as active',
      'UPDATE active_chain SET block_id = (SELECT id FROM blocks WHERE height = 3 ORDER BY id DESC) WHERE height = 3',
    ],
    [
      'two marks are exchanged',
      `UPDATE active_chain SET height = -2 WHERE height = 2; UPDATE active_chain SET height = 2 WHERE height = 3;
       UPDATE active_chain SET height = 3 WHERE height = -2`,
    ],
    ['a height has no active block', 'DELETE FROM active_chain WHERE height = 3'],
    ['there are blocks and no active chain', 'DELETE FROM active_chain'],
    ['the work of the tip is another', `UPDATE blocks SET chain_work = x'01' WHERE height = 5`],
  ])('because %s is refused as damaged', (_what, sql) => {
    const dataDir = temporaryDirectory();
    within({ dataDir }, ({ chain }) => {
      chain.acceptBatch([...mineChain(chain.tip, 5).blocks, ...mineChain(chain.tip, 4).blocks]);
    });
    tamper(dataDir, `PRAGMA foreign_keys = OFF; ${sql}`);
    expect(() => within({ dataDir }, () => 0)).toThrow(DatabaseDamagedError);
    expect(() => within({ dataDir }, () => 0)).toThrow(join(dataDir, DATABASE_FILE));
  });

  it('because a body was overwritten is told as damage when it is read, never as a broken rule', () => {
    const dataDir = temporaryDirectory();
    const block = mineOn(genesisNode(), ['a']);
    within({ dataDir }, ({ chain }) => chain.accept(block));
    tamper(dataDir, `UPDATE blocks SET body = x'00ff' WHERE height = 1`);
    within({ dataDir }, ({ chain }) => {
      expect(() => chain.getBlock(block.hash)).toThrow(DatabaseDamagedError);
      expect(() => chain.getBlocks(0, 2)).toThrow(DatabaseDamagedError);
    });
  });
});
