import { afterEach, describe, expect, it } from 'vitest';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';

let rest: RestApp;

afterEach(() => rest.close());

describe('GET /status', () => {
  it('shows the node at a glance', async () => {
    rest = await startRestApp({ MINICHAIN_NODE_NODE_ID: 'node-7', MINICHAIN_NETWORK_NAME: 'lab' });
    await rest.post('/mine', { blocks: 2 });
    await rest.post('/blocks', { data: 'waits' });
    const { status, json } = await rest.get('/status');
    expect(status).toBe(200);
    expect(json).toEqual({
      nodeId: 'node-7',
      key: rest.node.peers.key,
      network: 'lab',
      genesis: rest.node.chain.genesis.hash,
      height: 2,
      length: 3,
      tip: rest.node.chain.tip.hash,
      chainWork: rest.node.chain.tip.chainWork.toString(16).padStart(64, '0'),
      difficulty: 0,
      peers: { connected: 0, known: 0 },
      mempool: { transactions: 1, bytes: rest.node.mempool.bytes },
      mining: { auto: false, active: false, hashRate: expect.any(Number), maxHashRate: 0 },
      sync: {
        state: 'idle',
        progress: 1,
        height: 2,
        targetHeight: 2,
        blocksPerSecond: 0,
        etaSeconds: null,
        peer: null,
      },
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      uptimeSeconds: expect.any(Number),
    });
  });
});
