import { afterEach, describe, expect, it } from 'vitest';
import { encodeDataTransaction } from '../consensus/data-entry.js';
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
      salt: expect.stringMatching(/^[0-9a-f]{32}$/),
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
    const entry = { id, kind: 'data', data: 'Hello', timestamp: expect.any(String), salt: expect.any(String) };
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

describe('POST /blocks with a list', () => {
  it('stores all of them in one commit, and answers with their ids in order', async () => {
    rest = await startRestApp();
    const data = Array.from({ length: 1_000 }, (_, index) => `entry ${index}`);
    const { status, json } = await rest.post('/blocks', { data });
    expect(status).toBe(202);
    expect(json).toEqual({ ids: rest.node.mempool.ids(), status: 'pending' });
    expect(rest.node.mempool.list(0, 2_000).map((entry) => entry.data)).toEqual(data);
    expect((await rest.get('/metrics')).text).toMatch(/minichain_mempool_commit_transactions_count\S* 1\n/);
  });

  it('takes one entry for each item, equal or not', async () => {
    rest = await startRestApp();
    const { ids } = (await rest.post('/blocks', { data: ['same', 'same'] })).json;
    expect(new Set(ids).size).toBe(2);
  });

  it.each([
    ['none', [], 400, 'invalid-request', /^data: expected a list of 1 to 1000 strings, got 0$/],
    [
      'too many',
      Array(1_001).fill('x'),
      400,
      'invalid-request',
      /^data: expected a list of 1 to 1000 strings, got 1001$/,
    ],
    ['a number', ['a', 'b', 7], 400, 'invalid-request', /^data\.2: expected a string, got the number 7$/],
    ['a list', ['a', ['b']], 400, 'invalid-request', /^data\.1: expected a string, got an array$/],
    ['an empty one', ['a', 'b', 'c', ''], 400, 'bad-txn-data-empty', /^data\.3: data is empty/],
    ['one too long', ['a', 'x'.repeat(16_385)], 413, 'bad-txn-data-length', /^data\.1: data has 16385 bytes/],
  ])('refuses %s, and stores nothing', async (_name, data, status, code, detail) => {
    rest = await startRestApp();
    const answer = await rest.post('/blocks', { data });
    expect(answer.json).toMatchObject({ status, code, detail: expect.stringMatching(detail) });
    expect(rest.node.mempool.size).toBe(0);
  });

  it('stores none where there is no room for all', async () => {
    rest = await startRestApp({ MINICHAIN_MEMPOOL_MAX_TRANSACTIONS: '3' });
    await rest.post('/blocks', { data: 'first' });
    const { json, headers } = await rest.post('/blocks', { data: ['a', 'b', 'c'] });
    expect(json).toMatchObject({
      status: 503,
      code: 'mempool-full',
      detail: expect.stringMatching(/no room for 3 more/),
    });
    expect(headers.get('retry-after')).not.toBeNull();
    expect(rest.node.mempool.size).toBe(1);
    expect((await rest.post('/blocks', { data: ['a', 'b'] })).status).toBe(202);
  });
});

describe('POST /blocks with timestamp and salt', () => {
  const choices = { timestamp: '2026-02-03T04:05:06.789Z', salt: 'AB'.repeat(17) };

  it('is the same entry when it is posted again: waiting, and in the chain', async () => {
    rest = await startRestApp();
    const { id } = (await rest.post('/blocks', { data: 'Hello', ...choices })).json;
    expect((await rest.get(`/transactions/${id}`)).json).toMatchObject({
      data: 'Hello',
      timestamp: choices.timestamp,
      salt: 'ab'.repeat(17),
    });
    const again = await rest.post('/blocks', { data: 'Hello', ...choices, timestamp: Date.parse(choices.timestamp) });
    expect([again.status, again.json]).toEqual([202, { id, status: 'pending' }]);
    expect(rest.node.mempool.size).toBe(1);
    await rest.post('/mine');
    const mined = await rest.post('/blocks', { data: 'Hello', ...choices });
    expect([mined.status, mined.json]).toEqual([202, { id, status: 'confirmed' }]);
    const list = await rest.post('/blocks', { data: ['Hello', 'new', 'new'], ...choices });
    expect(list.json).toMatchObject({ status: 'pending', ids: [id, expect.anything(), expect.anything()] });
    expect(list.json.ids[1]).toBe(list.json.ids[2]);
    expect(rest.node.mempool.size).toBe(1);
  });

  it('is the same entry when many post it at once, and when the mempool is full', async () => {
    rest = await startRestApp({ MINICHAIN_MEMPOOL_MAX_TRANSACTIONS: '1' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => rest.post('/blocks', { data: 'x', ...choices })),
    );
    expect(new Set(answers.map(({ status, json }) => `${status} ${json.id}`)).size).toBe(1);
    expect(answers[0]!.status).toBe(202);
  });

  it('owes it to its poster although a peer brought it first', async () => {
    rest = await startRestApp();
    const { mempool } = rest.node;
    const timestampMs = Date.parse(choices.timestamp);
    const entry = encodeDataTransaction('shared', timestampMs, Buffer.from(choices.salt, 'hex'));
    await mempool.acceptFromPeer([entry], 'peer');
    expect(mempool.acknowledgedCount).toBe(0);
    expect((await rest.post('/blocks', { data: 'shared', ...choices })).json.id).toBe(entry.id);
    expect(mempool.acknowledgedCount).toBe(1);
  });

  it('takes the first and the last moment, and salts of every length', async () => {
    rest = await startRestApp();
    for (const timestamp of [0, '1970-01-01T00:00:00Z', 253_402_300_799_999, '9999-12-31T23:59:59.999Z']) {
      const { json } = await rest.post('/blocks', { data: 'x', timestamp });
      const shown = (await rest.get(`/transactions/${json.id}`)).json.timestamp;
      expect(Date.parse(shown)).toBe(typeof timestamp === 'number' ? timestamp : Date.parse(timestamp));
    }
    for (let length = 0; length <= 32; length++) {
      const { status } = await rest.post('/blocks', { data: 'x', salt: '0f'.repeat(length) });
      expect([length, status]).toEqual([length, 202]);
    }
  });

  it.each([
    [{ timestamp: 253_402_300_800_000 }, 400, /^timestamp: expected a time .* got the number 253402300800000$/],
    [{ timestamp: '+010000-01-01T00:00:00.000Z' }, 400, /^timestamp: expected a time .*to 9999-12-31T23:59:59.999Z/],
    [{ timestamp: -1 }, 400, /^timestamp: /],
    [{ timestamp: 1.5 }, 400, /^timestamp: /],
    [{ timestamp: 1e300 }, 400, /^timestamp: /],
    [{ timestamp: '1969-12-31T23:59:59.999Z' }, 400, /^timestamp: /],
    [{ timestamp: '2026-02-30T00:00:00.000Z' }, 400, /^timestamp: /],
    [{ timestamp: '2026-01-01' }, 400, /^timestamp: /],
    [{ timestamp: '2026-01-01T00:00:00+01:00' }, 400, /^timestamp: /],
    [{ timestamp: null }, 400, /^timestamp: .*got null$/],
    [{ salt: '0' }, 400, /^salt: expected a salt of 0 to 32 bytes as hex digits, two for each byte, got "0"$/],
    [{ salt: 'ab'.repeat(33) }, 400, /^salt: /],
    [{ salt: 'xy' }, 400, /^salt: /],
    [{ salt: 7 }, 400, /^salt: /],
    // 9 bytes before the salt, a byte for each length, and so 64 in all.
    [{ data: 'y'.repeat(37), salt: 'ab'.repeat(16) }, 422, /exactly 64 bytes.*a salt of another length/],
  ])('refuses %j', async (wrong, status, detail) => {
    rest = await startRestApp();
    const answer = await rest.post('/blocks', { data: 'x', ...wrong });
    expect(answer.json).toMatchObject({ status, detail: expect.stringMatching(detail) });
    expect(rest.node.mempool.size).toBe(0);
  });
});
