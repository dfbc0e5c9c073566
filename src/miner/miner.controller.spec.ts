import { afterEach, describe, expect, it } from 'vitest';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';

let rest: RestApp;

afterEach(() => rest.close());

describe('POST /mine', () => {
  it.each([
    ['no body', undefined],
    ['an empty object', {}],
    ['a number', { blocks: 1 }],
  ])('mines one block with %s', async (_name, body) => {
    rest = await startRestApp();
    const { status, json } = await rest.post('/mine', body);
    expect(status).toBe(200);
    expect(json).toEqual({ blocks: [{ index: 1, hash: rest.node.chain.tip.hash }] });
  });

  it('takes an empty body of any type', async () => {
    rest = await startRestApp();
    for (const type of ['application/json', 'application/x-www-form-urlencoded', 'text/plain']) {
      const answer = await rest.fetch('/mine', { method: 'POST', headers: { 'content-type': type } });
      expect([type, answer.status]).toEqual([type, 200]);
    }
    const chunked = await rest.raw(
      'POST /mine HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 200 /);
    expect(rest.node.chain.tip.height).toBe(4);
  });

  it('mines as many as asked for, the entries into the first', async () => {
    rest = await startRestApp();
    await rest.post('/blocks', { data: 'a' });
    const { json } = await rest.post('/mine', { blocks: 5 });
    expect(json.blocks.map(({ index }: { index: number }) => index)).toEqual([1, 2, 3, 4, 5]);
    expect((await rest.get('/blocks/1')).json.transactions).toHaveLength(2);
    expect((await rest.get('/blocks/5')).json.transactions).toHaveLength(1);
  });
});
