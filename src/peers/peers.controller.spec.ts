import { afterEach, describe, expect, it, vi } from 'vitest';
import { FakeChannel } from '../../test/support/fake-channel.js';
import { startRestApp, type Answer, type RestApp } from '../../test/support/rest-app.js';
import { identityOf } from '../../test/support/test-identity.js';

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
          key: null,
          address: '127.0.0.1:9',
          connected: false,
          refused: false,
          lastSeen: null,
          direction: null,
          latencyMs: null,
          height: null,
          tip: null,
          chainWork: null,
          score: 0,
        },
      ],
    });
  });
});

describe('/peers/:id', () => {
  const post = (path: string, headers = {}): Promise<Answer> => rest.fetch(path, { method: 'POST', headers });

  it.each(['disconnect', 'connect'])('%s of a node that nobody knows is 404', async (verb) => {
    rest = await startRestApp();
    const { status, headers, json } = await post(`/peers/node-9/${verb}`);
    expect(status).toBe(404);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(json).toMatchObject({ code: 'unknown-peer', detail: expect.stringContaining('"node-9"') });
  });

  it('refuses a link, shows it as refused, and allows it again', async () => {
    rest = await startRestApp();
    const { chain, peers } = rest.node;
    const visitor = new FakeChannel('203.0.113.7');
    peers.acceptInbound(visitor);
    visitor.greet(identityOf('visitor', { advertisedAddress: ':9091' }), chain.genesis);
    expect(peers.linkOf('visitor')).toEqual({ connected: true, refused: false });
    const cut = await post('/peers/visitor/disconnect');
    expect([cut.status, cut.json]).toEqual([200, { id: 'visitor', connected: false, refused: true }]);
    expect(visitor.isClosed).toBe(true);
    expect((await rest.get('/peers')).json.peers).toMatchObject([{ id: 'visitor', connected: false, refused: true }]);
    const back = await post('/peers/visitor/connect');
    expect([back.status, back.json]).toEqual([202, { id: 'visitor', connected: false, refused: false }]);
    expect((await rest.get('/peers')).json.peers).toMatchObject([
      { id: null, address: '203.0.113.7:9091', refused: false },
    ]);
  });

  it('needs the write token where one is set', async () => {
    rest = await startRestApp({ MINICHAIN_HTTP_WRITE_TOKEN: 'secret-token-of-the-test' });
    for (const verb of ['connect', 'disconnect']) {
      expect((await post(`/peers/node-9/${verb}`)).status).toBe(401);
      const authorization = 'Bearer secret-token-of-the-test';
      expect((await post(`/peers/node-9/${verb}`, { authorization })).status).toBe(404);
    }
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
    // The end of a ban is a moment of the monotonic clock, so what the wall clock says of it may differ by a millisecond.
    const ban = { subject: 'host:203.0.113.7', until: expect.stringMatching(/Z$/), code: 'malformed-message' };
    expect((await rest.get('/peers/bans')).json).toEqual({ bans: [ban] });
    const unknown = await rest.fetch('/peers/bans/203.0.113.8', { method: 'DELETE' });
    expect(unknown.json).toMatchObject({ status: 404, code: 'not-banned' });
    const lifted = await rest.fetch('/peers/bans/203.0.113.7', { method: 'DELETE' });
    expect([lifted.status, lifted.json]).toEqual([200, { lifted: [ban] }]);
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
