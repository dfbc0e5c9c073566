import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acceptBatch, genesisNode, mineChain, openChain } from '../../test/support/chain-builders.js';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { BlockDamagedError } from '../chain/chain.store.js';
import type { Block } from '../consensus/block.js';
import { DATABASE_FILE } from '../storage/database.js';

/** A data directory with these blocks, in which one bit of `text` flipped. */
function damagedDirectory(blocks: readonly Block[], text: string): string {
  const dataDir = temporaryDirectory();
  const node = openChain({ dataDir });
  acceptBatch(node.chain, blocks);
  node.close();
  const file = join(dataDir, DATABASE_FILE);
  const bytes = readFileSync(file);
  let found = 0;
  // SQLite may have left copies behind in unused parts of its pages.
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1), found++) bytes[at]! ^= 1;
  expect(found).toBeGreaterThan(0);
  writeFileSync(file, bytes);
  return dataDir;
}

describe('a stored block in which a bit flipped', () => {
  let network: HostNetwork;
  onHostNetwork((opened) => (network = opened));

  it('is fetched again from a peer, and nobody is banned for it', async () => {
    const { clock } = network;
    const { blocks } = mineChain(genesisNode(), 30, (index) => [`entry number ${index}.`]);
    const dataDir = damagedDirectory(blocks, 'entry number 12.');
    const hurt = network.open('hurt', { dataDir, bootstrap: ['whole:9000'] });
    expect(() => hurt.chain.getBlock(blocks[12]!.hash)).toThrow(BlockDamagedError);
    expect(hurt.chain.damagedBlocks.size).toBe(1);
    // Alone it cannot be mended.
    await clock.advance(60_000);
    expect(hurt.chain.damagedBlocks.size).toBe(1);
    const whole = network.open('whole');
    acceptBatch(whole.chain, blocks);
    await clock.until('the block is mended', () => hurt.chain.damagedBlocks.size === 0, 60_000);
    expect(hurt.chain.getBlock(blocks[12]!.hash)).toEqual(blocks[12]);
    expect([...whole.peers.bans(), ...hurt.peers.bans()]).toEqual([]);
  });

  it('is not served: a newcomer gets it from elsewhere, and does not ban this node', async () => {
    const { clock } = network;
    const { blocks } = mineChain(genesisNode(), 300, (index) => [`entry number ${index}.`]);
    const hurt = network.open('hurt', { dataDir: damagedDirectory(blocks, 'entry number 222.') });
    const newcomer = network.open('newcomer', { bootstrap: ['hurt:9000', 'whole:9000'] });
    await clock.until('all is fetched that the node can serve', () => newcomer.chain.tip.height >= 222, 120_000);
    expect(newcomer.chain.tip.height).toBe(222);
    // However often it asks, nobody holds anything back.
    await clock.advance(10 * 60_000);
    expect(newcomer.peers.list().map(({ score }) => score)).toEqual([0, 0]);
    expect(newcomer.peers.bans()).toEqual([]);
    expect(hurt.chain.damagedBlocks.size).toBe(1);
    const whole = network.open('whole');
    acceptBatch(whole.chain, blocks);
    await clock.until('the newcomer has all blocks', () => newcomer.chain.tip.height === 300, 120_000);
    await clock.until('the damaged node is mended by it', () => hurt.chain.damagedBlocks.size === 0, 120_000);
    for (const host of [whole, hurt, newcomer]) expect(host.peers.bans()).toEqual([]);
  });
});
