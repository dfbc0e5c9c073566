import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeChannel } from '../../test/support/fake-channel.js';
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

describe('/peers/bans', () => {
  it('lists bans, and lifts them by host, node id or subject', async () => {
    rest = await startRestApp();
    expect((await rest.get('/peers/bans')).json).toEqual({ bans: [] });
    // What is not a Hello from a stranger far away.
    const stranger = new FakeChannel('203.0.113.7');
    rest.node.peers.acceptInbound(stranger);
    stranger.deliverBytes(Uint8Array.of(1, 2, 3));
    const { json } = await rest.get('/peers/bans');
    expect(json.bans).toEqual([
      { subject: 'host:203.0.113.7', until: expect.stringMatching(/Z$/), code: 'malformed-message' },
    ]);
    const unknown = await rest.fetch('/peers/bans/203.0.113.8', { method: 'DELETE' });
    expect(unknown.json).toMatchObject({ status: 404, code: 'not-banned' });
    const lifted = await rest.fetch('/peers/bans/203.0.113.7', { method: 'DELETE' });
    expect([lifted.status, lifted.json]).toEqual([200, { lifted: json.bans }]);
    expect((await rest.get('/peers/bans')).json).toEqual({ bans: [] });
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
