import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { accept, acceptBatch, mineChain, openChain, type TestChain } from '../../test/support/chain-builders.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { DATABASE_FILE } from '../storage/database.js';
import { BlockDamagedError } from './chain.store.js';

interface Damaged {
  readonly node: TestChain;
  readonly blocks: readonly Block[];
  readonly faults: Error[];
  readonly events: [string, BlockNode][];
}

/** A chain of ten blocks that was closed, changed on disk by `damage` and opened again. */
function withDamage(damage: (file: string, blocks: readonly Block[]) => void): Damaged {
  const dataDir = temporaryDirectory();
  const before = openChain({ dataDir });
  const { blocks } = mineChain(before.chain.genesis, 10, (index) => [`first of ${index}`, `second of ${index}`]);
  acceptBatch(before.chain, blocks);
  before.close();
  damage(join(dataDir, DATABASE_FILE), blocks);
  const node = openChain({ dataDir });
  onTestFinished(() => node.close());
  const faults: Error[] = [];
  const events: [string, BlockNode][] = [];
  node.faults.on((fault) => faults.push(fault));
  for (const name of ['damaged', 'mended'] as const) node.chain.events.on(name, (block) => events.push([name, block]));
  return { node, blocks, faults, events };
}

function flipBitOf(text: string): (file: string) => void {
  return (file) => {
    const bytes = readFileSync(file);
    let found = 0;
    // SQLite may have left copies behind in unused parts of its pages.
    for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1), found++) bytes[at]! ^= 1;
    expect(found).toBeGreaterThan(0);
    writeFileSync(file, bytes);
  };
}

describe('a stored body in which one bit flipped', () => {
  it('is never handed out, in whole or in part, and is reported once', () => {
    const { node, blocks, faults, events } = withDamage(flipBitOf('second of 4'));
    const { chain } = node;
    const damaged = blocks[4]!;
    for (let time = 0; time < 2; time++) {
      expect(() => chain.getBlock(damaged.hash)).toThrow(BlockDamagedError);
      expect(() => chain.getBlockBytes(damaged.hash)).toThrow(BlockDamagedError);
      expect(() => chain.getBlocks(0, 10)).toThrow(BlockDamagedError);
      for (const { id } of damaged.transactions.slice(1)) {
        expect(() => chain.findTransaction(id)).toThrow(BlockDamagedError);
      }
    }
    expect(faults).toEqual([expect.objectContaining({ message: expect.stringContaining('another CRC-32') })]);
    expect(events).toEqual([['damaged', chain.nodeAt(5)]]);
    expect([...chain.damagedBlocks]).toEqual([chain.nodeAt(5)]);
    // The others are as good as ever, its header included.
    for (const block of blocks.filter((other) => other !== damaged)) expect(chain.getBlock(block.hash)).toEqual(block);
    expect(chain.getHeaderBytes(5, 1)).toEqual([damaged.bytes.subarray(0, 80)]);
    accept(chain, mineChain(chain.tip, 1).blocks[0]!);
    expect(chain.tip.height).toBe(11);
  });

  it('is mended by the right block, and by no other', () => {
    const { node, blocks, events } = withDamage(flipBitOf('first of 7'));
    const { chain } = node;
    const damaged = blocks[7]!;
    expect(() => chain.getBlock(damaged.hash)).toThrow(BlockDamagedError);
    chain.mend(chain.verify(blocks[6]!));
    expect([...chain.damagedBlocks]).toEqual([chain.nodeAt(8)]);
    chain.mend(chain.verify(damaged));
    expect(chain.getBlock(damaged.hash)).toEqual(damaged);
    expect(chain.findTransaction(damaged.transactions[1]!.id)?.transaction).toEqual(damaged.transactions[1]);
    expect(chain.damagedBlocks.size).toBe(0);
    expect(events.map(([name]) => name)).toEqual(['damaged', 'mended']);
    chain.mend(chain.verify(damaged));
    expect(events).toHaveLength(2);
  });
});

it('a block that SQLite cannot read any more is a damaged block too', () => {
  let databaseFile = '';
  const { node, blocks } = withDamage((file) => (databaseFile = file));
  const bytes = readFileSync(databaseFile);
  // The header of the page that holds the row.
  const page = Math.floor(bytes.indexOf('second of 9') / 4_096) * 4_096;
  bytes.fill(0xff, page, page + 8);
  writeFileSync(databaseFile, bytes);
  node.database.pragma('shrink_memory');
  expect(() => node.chain.getBlock(blocks[9]!.hash)).toThrow(BlockDamagedError);
  expect(() => node.chain.getBlock(blocks[9]!.hash)).toThrow(/malformed/);
});
