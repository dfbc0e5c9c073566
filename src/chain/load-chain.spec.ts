import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import {
  accept,
  acceptBatch,
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
      acceptBatch(chain, [...trunk.blocks, ...mineChain(trunk.nodes[4]!, 15).blocks]);
      brokenRule(() => accept(chain, bad));
      return imageOf(chain);
    });
    within({ dataDir }, ({ chain }) => {
      expect(imageOf(chain)).toEqual(before);
      expect(chain.competingTips()).toHaveLength(1);
      expect(chain.invalidCode(bad.hash)).toBe('bad-cb-height');
    });
  });

  it('keeps the first seen of two equal tips, also after a reorganisation', () => {
    const dataDir = temporaryDirectory();
    const mine = mineChain(genesisNode(), 3);
    const theirs = mineChain(genesisNode(), 3);
    const tip = within({ dataDir }, ({ chain }) => {
      acceptBatch(chain, [...mine.blocks.slice(0, 2), ...theirs.blocks, mine.blocks[2]!]);
      return chain.tip.hash;
    });
    expect(tip).toBe(theirs.blocks[2]!.hash);
    within({ dataDir }, ({ chain }) => {
      expect(chain.tip.hash).toBe(tip);
      expect(accept(chain, mineOn(mine.nodes[2]!)).kind).toBe('reorganised');
    });
  });

  it('forgets all verdicts that another version of the program stored', () => {
    const dataDir = temporaryDirectory();
    const bad = mineOn(genesisNode(), [], { coinbaseHeight: 3 });
    within({ dataDir }, ({ chain }) => brokenRule(() => accept(chain, bad)));
    within({ dataDir }, ({ chain }) => expect(chain.invalidCode(bad.hash)).toBe('bad-cb-height'));
    tamper(dataDir, `UPDATE meta SET value = 'minichain 0.0.1, rule set 2' WHERE key = 'verdicts_of'`);
    within({ dataDir }, ({ chain }) => {
      expect(chain.invalidCode(bad.hash)).toBeUndefined();
      expect(brokenRule(() => accept(chain, bad))).toBe('bad-cb-height');
    });
    within({ dataDir }, ({ chain }) => expect(chain.invalidCode(bad.hash)).toBe('bad-cb-height'));
  });

  it('forgets verdicts that hang on checkpoints, which may be others now', () => {
    const dataDir = temporaryDirectory();
    const { blocks } = mineChain(genesisNode(), 2);
    const other = mineOn(genesisNode());
    const onOther = mineOn(nodeOf(other, genesisNode()));
    const checked = createParams({ network: 'test', difficulty: 0, checkpoints: new Map([[1, blocks[0]!.hash]]) });
    within({ dataDir, params: checked }, ({ chain }) => {
      expect(brokenRule(() => accept(chain, other))).toBe('checkpoint-mismatch');
      expect(brokenRule(() => accept(chain, onOther))).toBe('bad-prevblk');
    });
    within({ dataDir }, ({ chain }) => {
      expect(accept(chain, other).kind).toBe('extended');
      expect(accept(chain, onOther).kind).toBe('extended');
    });
  });
});

/** Changes the last byte of one header. */
function flipHeaderBit(condition: string): string {
  return `UPDATE blocks SET header = CAST(substr(header, 1, 79) || x'ff' AS BLOB) WHERE ${condition}`;
}

describe('a data directory that does not fit', () => {
  it('because it is of another network is refused, with both genesis hashes', () => {
    const dataDir = temporaryDirectory();
    within({ dataDir }, ({ chain }) => accept(chain, mineOn(chain.tip)));
    const params = createParams({ network: 'other', difficulty: 0 });
    const open = (): unknown => within({ dataDir, params }, () => 0);
    expect(open).toThrow(WrongNetworkError);
    const settings = 'settings differ: network.name = "other", blockchain.retarget_interval = 0';
    const hashes = [easyParams.genesis.hash, params.genesis.hash];
    for (const part of ['belongs to another network', dataDir, ...hashes, settings, 'MINICHAIN_NODE_DATA_DIR']) {
      expect(open).toThrow(part);
    }
    const harder = createParams({ network: 'test', difficulty: 2 });
    expect(() => within({ dataDir, params: harder }, () => 0)).toThrow('blockchain.difficulty was 0 and is now 2');
    within({ dataDir }, ({ chain }) => expect(chain.tip.height).toBe(1));
  });

  it('because its active chain breaks a new checkpoint is refused', () => {
    const dataDir = temporaryDirectory();
    const found = within({ dataDir }, ({ chain }) => {
      accept(chain, mineOn(chain.tip));
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
    ['the tip is gone', 'DELETE FROM blocks WHERE id = (SELECT block_id FROM chain_tip)'],
    ['the tip is marked as another block', 'UPDATE chain_tip SET block_id = 2'],
    ['the hash of the tip is another', `UPDATE chain_tip SET hash = x'00'`],
    ['there are blocks and no tip', 'DELETE FROM chain_tip'],
    ['a bit of a header flipped', flipHeaderBit('height = 2')],
    ['a bit of the header of the tip flipped', flipHeaderBit('id = (SELECT block_id FROM chain_tip)')],
  ])('because %s is refused as damaged', (_what, sql) => {
    const dataDir = temporaryDirectory();
    within({ dataDir }, ({ chain }) => {
      acceptBatch(chain, [...mineChain(chain.tip, 5).blocks, ...mineChain(chain.tip, 4).blocks]);
    });
    tamper(dataDir, `PRAGMA foreign_keys = OFF; ${sql}`);
    expect(() => within({ dataDir }, () => 0)).toThrow(DatabaseDamagedError);
    expect(() => within({ dataDir }, () => 0)).toThrow(join(dataDir, DATABASE_FILE));
  });
});
