import { expect, it, onTestFinished } from 'vitest';
import { acceptBatch, mineChain, openChain } from '../../test/support/chain-builders.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { StatusQuery, type StatusSources } from './status-query.js';
import { statusSchema } from './status-schemas.js';

const idle: StatusSources['miner'] = { status: { auto: true, active: false, hashRate: 0, maxHashRate: 0 } };
const alone: StatusSources['peers'] = {
  key: 'ab'.repeat(32),
  summary: () => ({ connected: 1, known: 4 }),
  syncStatus: () => ({
    state: 'idle',
    progress: 1,
    height: 2,
    targetHeight: 2,
    blocksPerSecond: 0,
    etaSeconds: null,
    peer: null,
  }),
};

it('puts together what the parts of a node say, and counts its uptime in whole seconds', async () => {
  const clock = new VirtualClock();
  const node = openChain({ clock });
  onTestFinished(() => node.close());
  const { chain, mempool } = node;
  acceptBatch(chain, mineChain(chain.genesis, 2).blocks);
  const config = { node: { nodeId: 'node-7' }, network: { name: 'lab' } };
  const query = new StatusQuery({ config, clock, chain, mempool, miner: idle, peers: alone });
  await clock.advance(61_999);
  const status = query.status();
  expect(statusSchema.parse(status)).toEqual(status);
  expect(status).toMatchObject({
    nodeId: 'node-7',
    key: alone.key,
    network: 'lab',
    height: 2,
    length: 3,
    tip: chain.tip.hash,
    genesis: chain.genesis.hash,
    peers: { connected: 1, known: 4 },
    mempool: { transactions: 0, bytes: 0 },
    mining: { auto: true, active: false, hashRate: 0, maxHashRate: 0 },
    sync: alone.syncStatus(),
    uptimeSeconds: 61,
  });
});
