import { afterEach, describe, expect, it } from 'vitest';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';

let rest: RestApp;

afterEach(() => rest.close());

describe('POST /blocks', () => {
  it('answers 202 with a receipt, and mines nothing', async () => {
    rest = await startRestApp();
    const { status, json } = await rest.post('/blocks', { data: 'Hello' });
    expect(status).toBe(202);
    expect(json).toEqual({ id: expect.stringMatching(/^[0-9a-f]{64}$/), status: 'pending' });
    expect(rest.node.chain.tip.height).toBe(0);
    expect(rest.node.mempool.get(json.id)?.data).toBe('Hello');
  });

  it('takes 1 and 16384 bytes, and the same string twice as two entries', async () => {
    rest = await startRestApp();
    for (const data of ['x', 'x', 'x'.repeat(16_384), '€'.repeat(5461)]) {
      expect((await rest.post('/blocks', { data })).status).toBe(202);
    }
    expect(new Set(rest.node.mempool.ids()).size).toBe(4);
  });

  it('takes the longest data there is, every character of it escaped', async () => {
    rest = await startRestApp();
    const body = `{"data":"${'\\u0001'.repeat(16_384)}"}`;
    expect((await rest.fetch('/blocks', { method: 'POST', body })).status).toBe(202);
  });

  it('says when to come back while the mempool is full', async () => {
    rest = await startRestApp({ MINICHAIN_MEMPOOL_MAX_TRANSACTIONS: '2' });
    for (let i = 0; i < 2; i++) expect((await rest.post('/blocks', { data: `entry ${i}` })).status).toBe(202);
    const { status, headers, json } = await rest.post('/blocks', { data: 'one too many' });
    expect(status).toBe(503);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(json).toMatchObject({ code: 'mempool-full', retryAfterSeconds: Number(headers.get('retry-after')) });
    await rest.post('/mine');
    expect((await rest.post('/blocks', { data: 'room again' })).status).toBe(202);
  });
});

describe('GET /mempool', () => {
  it('gives totals, and pages in order of arrival', async () => {
    rest = await startRestApp();
    for (let i = 0; i < 5; i++) await rest.post('/blocks', { data: `entry ${i}` });
    const all = (await rest.get('/mempool')).json;
    expect(all).toMatchObject({ transactions: 5, bytes: rest.node.mempool.bytes, offset: 0 });
    expect(all.entries.map(({ data }: { data: string }) => data)).toEqual(range5());
    expect(all.entries[0]).toEqual({
      id: expect.any(String),
      kind: 'data',
      data: 'entry 0',
      timestamp: expect.stringMatching(/Z$/),
    });
    const page = (await rest.get('/mempool?offset=3&limit=10')).json;
    expect(page).toMatchObject({ transactions: 5, offset: 3, entries: [{ data: 'entry 3' }, { data: 'entry 4' }] });
    expect((await rest.get('/mempool?offset=9')).json.entries).toEqual([]);
  });
});

function range5(): string[] {
  return [0, 1, 2, 3, 4].map((i) => `entry ${i}`);
}

describe('GET /transactions/:id', () => {
  it('follows an entry from pending to confirmed', async () => {
    rest = await startRestApp();
    const { id } = (await rest.post('/blocks', { data: 'Hello' })).json;
    const entry = { id, kind: 'data', data: 'Hello', timestamp: expect.any(String) };
    const pending = await rest.get(`/transactions/${id}`);
    expect(pending.json).toEqual({ ...entry, status: 'pending', block: null, confirmations: 0 });
    const [block] = (await rest.post('/mine', { blocks: 3 })).json.blocks;
    const confirmed = await rest.get(`/transactions/${id.toUpperCase()}`);
    expect(confirmed.json).toEqual({ ...entry, status: 'confirmed', block, confirmations: 3 });
    expect((await rest.get('/mempool')).json.transactions).toBe(0);
  });

  it('says where a coinbase is to be found', async () => {
    rest = await startRestApp();
    await rest.post('/mine');
    const [coinbase] = (await rest.get('/blocks/1')).json.transactions;
    const { status, json } = await rest.get(`/transactions/${coinbase.id}`);
    expect(status).toBe(404);
    expect(json.detail).toMatch(/a coinbase is found in its block/);
  });
});
