import { afterEach, describe, expect, it, vi } from 'vitest';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';

let rest: RestApp;

afterEach(async () => {
  vi.restoreAllMocks();
  await rest.close();
});

describe('GET /peers', () => {
  it('lists known nodes, those without a session too', async () => {
    rest = await startRestApp({ MINICHAIN_NETWORK_BOOTSTRAP_NODES: '127.0.0.1:9' });
    const { status, json } = await rest.get('/peers');
    expect(status).toBe(200);
    expect(json).toEqual({
      connected: 0,
      peers: [
        {
          id: null,
          address: '127.0.0.1:9',
          connected: false,
          lastSeen: null,
          direction: null,
          latencyMs: null,
          height: null,
          score: 0,
        },
      ],
    });
  });
});

describe('/sync', () => {
  it.each([
    ['GET', 200],
    ['POST', 202],
  ])('%s starts a sync and says how far it is', async (method, expectedStatus) => {
    rest = await startRestApp();
    const startSync = vi.spyOn(rest.node.peers, 'startSync');
    const { status, json } = await rest.fetch('/sync', { method });
    expect(status).toBe(expectedStatus);
    expect(startSync).toHaveBeenCalledOnce();
    expect(json).toMatchObject({
      state: 'idle',
      progress: 1,
      height: 0,
      targetHeight: 0,
      etaSeconds: null,
      peer: null,
    });
  });
});
