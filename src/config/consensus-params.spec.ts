import { describe, expect, it } from 'vitest';
import { paramsOf } from './consensus-params.js';
import { parseConfig } from './load-config.js';

function genesisWith(env: Record<string, string>): string {
  return paramsOf(parseConfig({ env: { MINICHAIN_NODE_NODE_ID: 'a', ...env } })).genesis.hash;
}

describe('paramsOf', () => {
  it.each([
    ['NETWORK_NAME', 'other'],
    ['BLOCKCHAIN_DIFFICULTY', '5'],
    ['BLOCKCHAIN_RETARGET_INTERVAL', '10'],
    ['BLOCKCHAIN_TARGET_SPACING_SECONDS', '60'],
    ['BLOCKCHAIN_MAX_BLOCK_BYTES', '65536'],
  ])('%s makes another network', (key, value) => {
    expect(genesisWith({ [`MINICHAIN_${key}`]: value })).not.toBe(genesisWith({}));
  });

  it.each([
    ['NODE_NODE_ID', 'b'],
    ['BLOCKCHAIN_CHECKPOINTS', `5=${'ab'.repeat(32)}`],
    ['BLOCKCHAIN_MAX_REORG_DEPTH', '10'],
    ['BLOCKCHAIN_THREADS', '3'],
    ['BLOCKCHAIN_AUTO_MINE', 'false'],
  ])("%s is a node's own affair", (key, value) => {
    expect(genesisWith({ [`MINICHAIN_${key}`]: value })).toBe(genesisWith({}));
  });
});
