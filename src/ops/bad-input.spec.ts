import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRestApp, type Answer, type RestApp } from '../../test/support/rest-app.js';
import { problemSchema } from './problem.js';

let rest: RestApp;

beforeAll(async () => {
  rest = await startRestApp();
});

afterAll(() => rest.close());

function expectProblem(answer: Answer, status: number, code: string, detail: RegExp): void {
  expect(answer.json).toMatchObject({ status, code, detail: expect.stringMatching(detail) });
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(problemSchema.parse(answer.json)).toEqual(answer.json);
}

function postBytes(body: string | Uint8Array): Promise<Answer> {
  return rest.fetch('/blocks', { method: 'POST', body: typeof body === 'string' ? Buffer.from(body) : body });
}

describe('POST /blocks', () => {
  it.each([
    ['no body', '', 400, 'invalid-request', /expected a JSON object such as .*, got nothing/],
    ['null', 'null', 400, 'invalid-request', /expected a JSON object .*, got null/],
    ['an array', '[{"data":"x"}]', 400, 'invalid-request', /got an array/],
    ['a bare string', '"hello"', 400, 'invalid-request', /expected a JSON object .*, got "hello"/],
    [
      'no data',
      '{}',
      400,
      'invalid-request',
      /data: expected a string of 1 to 16384 bytes of UTF-8, or a list of 1 to 1000 of them, got nothing/,
    ],
    ['a number', '{"data":17}', 400, 'invalid-request', /data: expected a string .*, got the number 17/],
    ['data null', '{"data":null}', 400, 'invalid-request', /data: .* got null/],
    ['an object', '{"data":{"a":1}}', 400, 'invalid-request', /data: .* got an object/],
    ['an unknown key', '{"data":"x","to":"me"}', 400, 'invalid-request', /unknown key "to"/],
    ['empty data', '{"data":""}', 400, 'bad-txn-data-empty', /empty, 1 to 16384 bytes/],
    ['17 KiB', `{"data":"${'x'.repeat(17 * 1024)}"}`, 413, 'bad-txn-data-length', /17408 bytes.*at most 16384/],
    ['17 KiB in few characters', `{"data":"${'€'.repeat(5803)}"}`, 413, 'bad-txn-data-length', /17409 bytes/],
    ['a lone high surrogate', '{"data":"a\\ud83d"}', 400, 'bad-txn-data-encoding', /lone surrogate/],
    ['a lone low surrogate', '{"data":"\\ude00b"}', 400, 'bad-txn-data-encoding', /lone surrogate/],
    ['a word', '{"data": hello}', 400, 'invalid-json', /Unexpected token 'h', "\{"data": hello\}"/],
    ['an unclosed object', '{"data":"x"', 400, 'invalid-json', /position 11 \(line 1 column 12\)/],
    ['two values', '{"data":"x"}{"data":"y"}', 400, 'invalid-json', /position 12/],
    ['a raw line break', '{"data":"a\nb"}', 400, 'invalid-json', /control character .*line 1 column 11/],
    ['a form', 'data=hello', 400, 'invalid-json', /Unexpected token 'd'/],
  ])('refuses %s', async (_name, body, status, code, detail) => {
    expectProblem(await postBytes(body), status, code, detail);
  });

  it.each([
    ['a byte that UTF-8 never has', [0xff]],
    ['a cut-off character', [0xe2, 0x82]],
    ['a surrogate encoded as UTF-8', [0xed, 0xa0, 0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['Latin-1', [0x63, 0x61, 0x66, 0xe9]],
  ])('refuses %s', async (_name, bytes) => {
    const body = Buffer.concat([Buffer.from('{"data":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expectProblem(await postBytes(body), 400, 'invalid-utf8', /not valid UTF-8/);
  });

  it('refuses a body over the limit, with its length announced or chunked', async () => {
    const body = `{"data":"${'x'.repeat(1_200_000)}"}`;
    expectProblem(await postBytes(body), 413, 'body-too-large', /longer than the 1048576 bytes/);
    const chunked = await rest.raw(
      'POST /blocks HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
      `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 413 .*"code":"body-too-large"/s);
  });

  it('survives JSON that is nested as deep as a body can be', async () => {
    for (const depth of [511, 9_000]) {
      const [status, code] = depth < 512 ? [400, 'invalid-request'] : [413, 'body-too-complex'];
      const lists = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      expectProblem(await postBytes(lists), status, code, /an array|more than 512 lists and objects within/);
      const objects = `{"data":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`;
      expectProblem(await postBytes(objects), status, code, /data: .* got an object|more than 512/);
    }
    expectProblem(await postBytes('['.repeat(500)), 400, 'invalid-json', /Unexpected end/);
    expectProblem(await postBytes('['.repeat(1_000_000)), 413, 'body-too-complex', /more than 512 lists/);
    expectProblem(await postBytes(`{"data":[${'1,'.repeat(400_000)}1]}`), 413, 'body-too-complex', /no route takes/);
    expectProblem(
      await postBytes(`{"data":"${'[{,:\\\\\\"'.repeat(4_000)}"}`),
      413,
      'bad-txn-data-length',
      /at most 16384/,
    );
  });

  it.each([
    ['{"data":"a","__proto__":{"polluted":1}}', /unknown key "__proto__"; known here: "data"/],
    ['{"data":"a","constructor":{"prototype":{"polluted":1}}}', /unknown key "constructor"; known here: "data"/],
    ['{"data":"a","toString":1,"prototype":2}', /unknown key "toString", "prototype"; known here: "data"/],
    ['{"__proto__":{"data":"x"}}', /data: .* got nothing; unknown key "__proto__"/],
  ])('takes %s as one with an unknown key', async (body, detail) => {
    expectProblem(await postBytes(body), 400, 'invalid-request', detail);
    expectProblem(await rest.fetch('/mine', { method: 'POST', body }), 400, 'invalid-request', /unknown key/);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('names a few of many unknown keys', async () => {
    const keys = Array.from({ length: 5_000 }, (_, i) => `"key ${i}":0`);
    const { json } = await postBytes(`{"data":"x",${keys.join()}}`);
    expect(json.detail).toMatch(
      /unknown key "key 0", .*"key 7" and 4992 more; known here: "data", "timestamp", "salt", "signature"$/,
    );
  });

  it('refuses a compressed body', async () => {
    const headers = { 'content-encoding': 'gzip' };
    expectProblem(await rest.post('/blocks', { data: 'x' }, headers), 415, 'unsupported-encoding', /gzip/);
  });
});

describe('POST /mine', () => {
  it.each([
    ['{"blocks":0}', /blocks: expected a whole number from 1 to 1000, got the number 0/],
    ['{"blocks":-1}', /got the number -1/],
    ['{"blocks":1001}', /got the number 1001/],
    ['{"blocks":1.5}', /got the number 1.5/],
    ['{"blocks":"2"}', /got "2"/],
    ['{"blocks":1e999}', /whole number/],
    ['{"block":2}', /unknown key "block"/],
    ['3', /expected no body, or a JSON object .*, got the number 3/],
    ['null', /got null/],
  ])('refuses %s', async (body, detail) => {
    expectProblem(await rest.fetch('/mine', { method: 'POST', body }), 400, 'invalid-request', detail);
  });

  it('refuses broken JSON', async () => {
    expectProblem(await rest.fetch('/mine', { method: 'POST', body: '{' }), 400, 'invalid-json', /position 1/);
  });
});

describe('paths and queries', () => {
  const hash = 'f'.repeat(64);

  it.each([
    ['/blocks/-1', 400, 'invalid-request', /a height .* or a block hash .*, got "-1"/],
    ['/blocks/1.5', 400, 'invalid-request', /got "1.5"/],
    ['/blocks/latest', 400, 'invalid-request', /got "latest"/],
    ['/blocks/0x10', 400, 'invalid-request', /got "0x10"/],
    [`/blocks/${'9'.repeat(17)}`, 400, 'invalid-request', /a height/],
    [`/blocks/${'f'.repeat(63)}`, 400, 'invalid-request', /64 hex digits/],
    [`/blocks/${'f'.repeat(500)}`, 400, 'invalid-request', /got "f{40}\.\.\."/],
    ['/blocks/%zz', 400, 'bad-url', /not a valid url/],
    [`/blocks/${'f'.repeat(2000)}`, 414, 'bad-url', /./],
    ['/blocks/1', 404, 'block-not-found', /no block at height 1: the tip is at height 0/],
    ['/blocks/4294967296', 404, 'block-not-found', /height 4294967296/],
    [`/blocks/${hash}`, 404, 'block-not-found', new RegExp(hash)],
    ['/transactions/12', 400, 'invalid-request', /a transaction id \(64 hex digits\), got "12"/],
    [`/transactions/${hash}`, 404, 'transaction-not-found', /on the active chain or in the mempool/],
    ['/chain?from=-1', 400, 'invalid-request', /from: expected a whole number from 0 up, got "-1"/],
    ['/chain?from=abc', 400, 'invalid-request', /got "abc"/],
    ['/chain?from=', 400, 'invalid-request', /from: .* got ""/],
    ['/chain?from=1e3', 400, 'invalid-request', /got "1e3"/],
    ['/chain?from=1&from=2', 400, 'invalid-request', /got an array/],
    ['/chain?limit=0', 400, 'invalid-request', /limit: expected a whole number from 1 to 1000, got the number 0/],
    ['/chain?limit=1001', 400, 'invalid-request', /1001/],
    ['/chain?from=x&limit=y', 400, 'invalid-request', /from: .*; limit: /],
    ['/mempool?offset=-5', 400, 'invalid-request', /offset: .* got "-5"/],
    ['/mempool?limit=9999', 400, 'invalid-request', /limit: /],
    ['/nothing/here', 404, 'not-found', /there is no GET \/nothing\/here; \/docs lists all routes/],
    ['/chain/', 404, 'not-found', /./],
  ])('%s', async (path, status, code, detail) => {
    expectProblem(await rest.get(path), status, code, detail);
  });

  it('says where each mistake is, and which path was asked for', async () => {
    const { json } = await rest.get('/chain?from=x&limit=y');
    expect(json.instance).toBe('/chain');
    expect(json.errors).toEqual([
      { path: 'from', message: 'expected a whole number from 0 up, got "x"' },
      { path: 'limit', message: 'expected a whole number from 1 to 1000, got "y"' },
    ]);
  });

  it('answers unknown routes with 404, whatever their body is', async () => {
    expectProblem(await rest.fetch('/nope', { method: 'POST', body: '{{{' }), 404, 'not-found', /POST \/nope/);
    expectProblem(await rest.get('/nope?x=1'), 404, 'not-found', /GET \/nope;/);
  });

  it.each(['/docs/../../package.json', '/docs/%2e%2e/%2e%2e/package.json', '/docs/..%2f..%2fpackage.json'])(
    'leads nowhere: %s',
    async (path) => {
      const answer = await rest.raw(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1.1 404 .*application\/problem\+json.*"code":"not-found"/s);
    },
  );

  it('refuses query parameters that the route does not know, and names those that it does', async () => {
    const frm = await rest.get('/chain?frm=1&limit=2');
    expectProblem(frm, 400, 'invalid-request', /^unknown query parameter "frm"; known here: "from", "limit"$/);
    const proto = await rest.get('/mempool?__proto__=1&constructor=2&limit[]=3&=4');
    expectProblem(
      proto,
      400,
      'invalid-request',
      /^unknown query parameter "__proto__", "constructor", "limit\[\]", "";/,
    );
    const none = await rest.get('/status?verbose');
    expectProblem(none, 400, 'invalid-request', /^unknown query parameter "verbose"; this route takes no query/);
    expect((await rest.get('/status?')).status).toBe(200);
    expect((await rest.get('/docs?x=1')).status).toBe(200);
  });
});

describe('every route', () => {
  const pathOf = (route: string): string => route.split(' ')[1]!.replace(/:\w+/g, '0');

  it('refuses an unknown query parameter', async () => {
    expect(rest.routes.length).toBeGreaterThan(14);
    for (const route of rest.routes) {
      const answer = await rest.fetch(`${pathOf(route)}?surprise=1`, { method: route.split(' ')[0]! });
      expectProblem(answer, 400, 'invalid-request', /unknown query parameter "surprise"/);
    }
  });

  it('answers a wrong method with 405 and those that are right', async () => {
    const paths = new Set(rest.routes.map(pathOf));
    for (const path of paths) {
      const routed = rest.routes.filter((route) => pathOf(route) === path).map((route) => route.split(' ')[0]!);
      const allowed = [...new Set(routed.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].sort();
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        if (allowed.includes(method)) continue;
        const answer = await rest.fetch(`${path}?x=1`, { method, ...(method === 'PUT' ? { body: '{{{' } : {}) });
        expect([method, path, answer.status, answer.headers.get('allow')]).toEqual([
          method,
          path,
          405,
          allowed.join(', '),
        ]);
        if (method === 'HEAD') continue;
        expectProblem(answer, 405, 'method-not-allowed', new RegExp(`does not support ${method}; it supports `));
      }
    }
  });
});

describe('what is no HTTP', () => {
  it.each([
    ['nonsense', 'hello\r\n\r\n', 400],
    ['an unknown method', 'FOO /chain HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['too much in the headers', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST /blocks HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}', 400],
  ])('%s', async (_name, text, status) => {
    const answer = await rest.raw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} .*application/problem\\+json.*"code":"bad-http"`, 's'));
  });
});

describe('after all that', () => {
  it('nothing is half stored, and nothing was a fault of ours', () => {
    expect(rest.node.mempool.size).toBe(0);
    expect(rest.node.chain.tip).toBe(rest.node.chain.genesis);
    expect(rest.logged.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });
});
