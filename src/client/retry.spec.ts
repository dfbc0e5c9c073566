import { describe, expect, it } from 'vitest';
import { MinichainClient, MinichainError, prepareEntry, type Fetch } from './client.js';

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** A client of a node that gives these answers in turn, the last again and again; an Error is a broken connection. */
function clientOf(...replies: readonly (Reply | Error)[]): { client: MinichainClient; sent: string[] } {
  const sent: string[] = [];
  const fetch: Fetch = async (_url, { body }) => {
    sent.push(body ?? '');
    const reply = replies[Math.min(sent.length, replies.length) - 1]!;
    if (reply instanceof Error) throw reply;
    const { status = 200, headers = {}, body: answer } = reply;
    return new Response(JSON.stringify(answer), { status, headers });
  };
  return { client: new MinichainClient('http://node', { fetch }), sent };
}

const entry = prepareEntry('once', { timestampMs: 0, salt: new Uint8Array(3) });
const accepted: Reply = { status: 202, body: { id: entry.id, status: 'pending' } };
const full: Reply = { status: 503, headers: { 'retry-after': '0' }, body: { code: 'mempool-full', detail: 'full' } };
const limited: Reply = {
  status: 429,
  headers: { 'Retry-After': '0' },
  body: { code: 'too-many-requests', detail: 'slow' },
};
const broken = new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) });

describe('submit', () => {
  it('sends exactly the same again after 503, 429, a proxy and a lost answer', async () => {
    const { client, sent } = clientOf(full, limited, { status: 502 }, broken, accepted);
    const told: string[] = [];
    await client.submit(entry, { onRetry: ({ code }) => told.push(code) });
    expect(sent).toEqual(Array(5).fill(JSON.stringify(entry.body)));
    expect(told).toEqual(['mempool-full', 'too-many-requests', 'http-502', 'unreachable']);
  });

  it('chooses timestamp and salt once, not for each attempt', async () => {
    const { client, sent } = clientOf(full, broken, { status: 202, body: { id: 'other' } });
    await expect(client.submit('text')).rejects.toMatchObject({ code: 'other-id' });
    expect(new Set(sent).size).toBe(1);
    expect(JSON.parse(sent[0]!)).toMatchObject({ data: 'text', salt: expect.stringMatching(/^[0-9a-f]{32}$/) });
  });

  it('sends nothing again that the node has refused', async () => {
    for (const status of [400, 401, 404, 413, 422, 500]) {
      const { client, sent } = clientOf({ status, body: { code: 'no', detail: 'no' } });
      await expect(client.submit(entry)).rejects.toMatchObject({ code: 'no', status });
      expect(sent).toHaveLength(1);
    }
  });

  it('gives up with the last error when the next attempt would come too late', async () => {
    const { client, sent } = clientOf({ ...full, headers: { 'retry-after': '60' } });
    const refused = client.submit(entry, { timeoutMs: 59_000 });
    await expect(refused).rejects.toMatchObject({ code: 'mempool-full', retryAfterMs: 60_000 });
    expect(sent).toHaveLength(1);
    const date = new Date(Date.now() + 600_000).toUTCString();
    const later = clientOf({ ...full, headers: { 'retry-after': date } });
    await expect(later.client.submit(entry)).rejects.toMatchObject({ code: 'mempool-full' });
    const gone = clientOf(broken);
    await expect(gone.client.submit(entry, { timeoutMs: 500 })).rejects.toMatchObject({
      code: 'unreachable',
      detail: 'no node reachable at http://node (connection lost)',
    });
    expect(gone.sent.length).toBeGreaterThan(1);
  });

  it('ends with its signal, also in a pause', async () => {
    const stop = new AbortController();
    const { client, sent } = clientOf({ ...full, headers: { 'retry-after': '20' } });
    const onRetry = (): void => void setTimeout(() => stop.abort(new Error('enough')));
    await expect(client.submit(entry, { signal: stop.signal, onRetry })).rejects.toThrow('enough');
    expect(sent).toHaveLength(1);
    await expect(client.submit(entry, { signal: stop.signal })).rejects.toThrow('enough');
  });

  it('ends with what its listener throws', async () => {
    const { client, sent } = clientOf(full);
    const onRetry = (): void => {
      throw new Error('not now');
    };
    await expect(client.submit(entry, { onRetry })).rejects.toThrow('not now');
    expect(sent).toHaveLength(1);
  });

  it('of a list checks every id', async () => {
    const { client } = clientOf({ status: 202, body: { ids: ['a', 'b'], status: 'pending' } });
    await expect(client.submitAll(['one', 'two'])).rejects.toMatchObject({ code: 'other-id' });
  });
});

describe('waitFor', () => {
  const pending = { body: { status: 'pending', block: null, confirmations: 0 } };
  const unknown = { status: 404, body: { code: 'transaction-not-found', detail: 'unknown' } };
  const confirmed = { body: { status: 'confirmed', block: { index: 1, hash: 'h' }, confirmations: 2 } };

  it('goes on while the node is away, and while a reorganisation moves the entry', async () => {
    const { client, sent } = clientOf(
      pending,
      broken,
      full,
      { body: { ...confirmed.body, confirmations: 1 } },
      unknown,
      confirmed,
    );
    const away: string[] = [];
    const { block } = await client.waitFor('id', { confirmations: 2, onRetry: ({ code }) => away.push(code) });
    expect([block.index, away, sent.length]).toEqual([1, ['unreachable', 'mempool-full'], 6]);
  });

  it('names the last failure when the time is up', async () => {
    const { client } = clientOf(pending, broken);
    const waiting = client.waitFor('id', { timeoutMs: 300 });
    await expect(waiting).rejects.toMatchObject({ code: 'not-confirmed', cause: expect.any(MinichainError) });
  });
});

describe('a request', () => {
  it('has its own time, and none if it asks for none', async () => {
    const fetch: Fetch = (_url, { signal }) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
        setTimeout(() => resolve(new Response('{"blocks":[]}')), 300);
      });
    const client = new MinichainClient('http://node', { fetch, timeoutMs: 5 });
    await expect(client.status()).rejects.toMatchObject({ code: 'timeout', isTransient: true });
    expect(await client.mine(3)).toEqual({ blocks: [] });
  });

  it('that something else answers says so', async () => {
    const fetch: Fetch = async () => new Response('<html>');
    await expect(new MinichainClient('http://node', { fetch }).status()).rejects.toMatchObject({ code: 'not-a-node' });
  });
});
