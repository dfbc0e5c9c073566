import { afterEach, describe, expect, it, vi } from 'vitest';
import { startRestApp, type Answer, type RestApp } from '../../test/support/rest-app.js';

let rest: RestApp;

afterEach(async () => {
  vi.restoreAllMocks();
  await rest.close();
});

describe('bodies', () => {
  it('takes JSON whatever the Content-Type says', async () => {
    rest = await startRestApp();
    const types = [
      'application/json',
      'application/json; charset=utf-8',
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data',
      'application/octet-stream',
      'image/png',
      'not a media type',
      '',
    ];
    for (const [index, type] of types.entries()) {
      const body = Buffer.from(`{"data":"entry ${index}"}`);
      const answer = await rest.raw(
        `POST /blocks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`,
        body,
      );
      expect([type, answer.slice(0, 12)]).toEqual([type, 'HTTP/1.1 202']);
    }
    expect(rest.node.mempool.list(0, 100).map(({ data }) => data)).toEqual(types.map((_, index) => `entry ${index}`));
  });

  it('takes one without a Content-Type, chunked, and with a byte order mark', async () => {
    rest = await startRestApp();
    expect((await rest.fetch('/blocks', { method: 'POST', body: Buffer.from('{"data":"plain"}') })).status).toBe(202);
    const chunked = await rest.raw(
      'POST /blocks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n',
      '8\r\n{"data":\r\n',
      'a\r\n"chunked"}\r\n0\r\n\r\n',
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 202 /);
    expect((await rest.fetch('/blocks', { method: 'POST', body: '\ufeff{"data":"marked"}' })).status).toBe(202);
    expect(rest.node.mempool.list(0, 10).map(({ data }) => data)).toEqual(['plain', 'chunked', 'marked']);
  });

  it('keeps data to the byte', async () => {
    rest = await startRestApp();
    const data = 'null \0, emoji 🜂, e\u0301, bidi \u202e, newline\n, \ufeff, "quotes" \\ and ' + 'x'.repeat(16_000);
    const { json } = await rest.post('/blocks', { data });
    expect((await rest.get(`/transactions/${json.id}`)).json.data).toBe(data);
  });
});

describe('write token', () => {
  const token = 'correct-horse-battery-staple';

  it('is asked for on every write and on nothing else', async () => {
    rest = await startRestApp({ MINICHAIN_HTTP_WRITE_TOKEN: token });
    for (const [route, operation] of rest.operations) {
      const [method, path] = route.split(' ') as [string, string];
      const answer = await rest.fetch(path.replace(/:\w+/, '0'), { method });
      if (operation?.effect === 'read') {
        expect([route, answer.status]).not.toEqual([route, 401]);
        continue;
      }
      expect([route, answer.status]).toEqual([route, 401]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="minichain"');
      expect(answer.json).toMatchObject({ code: 'unauthorized', status: 401, instance: path.replace(/:\w+/, '0') });
    }
  });

  it('is compared whole', async () => {
    rest = await startRestApp({ MINICHAIN_HTTP_WRITE_TOKEN: token });
    const post = (authorization: string) => rest.post('/blocks', { data: 'x' }, { authorization });
    for (const wrong of [
      '',
      'Bearer',
      'Bearer ',
      `Bearer ${token}x`,
      `Bearer ${token.slice(1)}`,
      `Basic ${token}`,
      token,
    ]) {
      expect([wrong, (await post(wrong)).status]).toEqual([wrong, 401]);
    }
    const { headers } = await post('Bearer wrong');
    expect(headers.get('www-authenticate')).toContain('error="invalid_token"');
    expect(rest.node.mempool.size).toBe(0);
    expect((await post(`Bearer ${token}`)).status).toBe(202);
    expect((await post(`bearer ${token}`)).status).toBe(202);
  });

  it('is asked for by every method that writes', async () => {
    rest = await startRestApp({ MINICHAIN_HTTP_WRITE_TOKEN: token });
    const lift = (headers = {}): Promise<Answer> => rest.fetch('/peers/bans/x', { method: 'DELETE', headers });
    expect((await lift()).status).toBe(401);
    expect((await lift({ authorization: `Bearer ${token}` })).json).toMatchObject({ status: 404, code: 'not-banned' });
  });

  it('is asked for before the body is read', async () => {
    rest = await startRestApp({ MINICHAIN_HTTP_WRITE_TOKEN: token });
    expect((await rest.fetch('/blocks', { method: 'POST', body: '{{' })).status).toBe(401);
  });
});

describe('operations', () => {
  it('are declared by every route', async () => {
    rest = await startRestApp();
    expect(rest.operations.size).toBeGreaterThan(14);
    for (const [route, operation] of rest.operations) {
      const effect = route.startsWith('GET ') ? 'read' : 'write';
      expect([route, operation?.effect]).toEqual([route, effect]);
      const isProbe = /^GET \/(health\/|metrics$)/.test(route);
      expect([route, operation?.isRateLimited]).toEqual([route, !isProbe]);
    }
  });
});

describe('other origins', () => {
  it('may neither write nor read answers by default', async () => {
    rest = await startRestApp();
    const origin = 'https://evil.example';
    const written = await rest.post('/blocks', { data: 'x' }, { origin });
    expect(written.status).toBe(403);
    const deleted = await rest.fetch('/peers/bans/x', { method: 'DELETE', headers: { origin } });
    expect(deleted.json).toMatchObject({ status: 403, code: 'cross-origin' });
    expect(written.json).toMatchObject({ code: 'cross-origin', detail: expect.stringContaining('cors_origins') });
    const read = await rest.get('/chain', { origin });
    expect(read.status).toBe(200);
    expect(read.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('may both when the config names them', async () => {
    const origin = 'https://app.example';
    rest = await startRestApp({ MINICHAIN_HTTP_CORS_ORIGINS: origin });
    const preflight = await rest.fetch('/blocks', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('DELETE');
    const written = await rest.post('/blocks', { data: 'x' }, { origin });
    expect(written.status).toBe(202);
    expect(written.headers.get('access-control-allow-origin')).toBe(origin);
    const other = await rest.post('/blocks', { data: 'x' }, { origin: 'https://evil.example' });
    expect(other.status).toBe(403);
    expect(other.headers.get('access-control-allow-origin')).not.toBe('https://evil.example');
    expect((await rest.get('/blocks/77', { origin })).headers.get('access-control-allow-origin')).toBe(origin);
  });

  it('get 204 for any OPTIONS, with a write token too', async () => {
    rest = await startRestApp({
      MINICHAIN_HTTP_CORS_ORIGINS: 'https://app.example',
      MINICHAIN_HTTP_WRITE_TOKEN: 'token',
    });
    expect((await rest.fetch('/blocks', { method: 'OPTIONS' })).status).toBe(204);
    expect((await rest.fetch('/nope', { method: 'POST' })).status).toBe(404);
  });

  it('can read why a write was refused', async () => {
    const origin = 'https://app.example';
    rest = await startRestApp({ MINICHAIN_HTTP_CORS_ORIGINS: origin, MINICHAIN_HTTP_WRITE_TOKEN: 't' });
    const { status, headers } = await rest.post('/blocks', { data: 'x' }, { origin });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([401, origin]);
  });

  it('may all with "*"', async () => {
    rest = await startRestApp({ MINICHAIN_HTTP_CORS_ORIGINS: '*' });
    const written = await rest.post('/blocks', { data: 'x' }, { origin: 'https://any.example' });
    expect(written.status).toBe(202);
    expect(written.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('lets the own origin and callers without one write', async () => {
    rest = await startRestApp();
    expect((await rest.post('/blocks', { data: 'x' }, { origin: `http://127.0.0.1:${rest.port}` })).status).toBe(202);
    expect((await rest.post('/blocks', { data: 'x' })).status).toBe(202);
  });
});

describe('HEAD', () => {
  it('answers as GET does, without a body', async () => {
    rest = await startRestApp();
    for (const path of ['/chain', '/status', '/blocks/0']) {
      const answer = await rest.fetch(path, { method: 'HEAD' });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(answer.text).toBe('');
    }
    expect((await rest.fetch('/blocks/9', { method: 'HEAD' })).status).toBe(404);
  });
});

describe('faults', () => {
  it('are a 500 without details, and a line in the log with all of them', async () => {
    rest = await startRestApp();
    vi.spyOn(rest.node.mempool, 'submit').mockRejectedValue(new Error('secret /etc/path'));
    const answer = await rest.post('/blocks', { data: 'x' });
    expect(answer.status).toBe(500);
    expect(answer.json).toMatchObject({ code: 'internal-error', status: 500, title: 'Internal Server Error' });
    expect(answer.text).not.toContain('secret');
    const line = rest.logged.find(({ level }) => level === 50);
    expect(line).toMatchObject({
      module: 'http',
      method: 'POST',
      url: '/blocks',
      err: { message: 'secret /etc/path' },
    });
    expect(line).toMatchObject({ err: { stack: expect.stringContaining('http.spec') } });
    expect(rest.health.reasons()).toEqual([]);
  });

  it('of the storage make the node unready', async () => {
    rest = await startRestApp();
    const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    vi.spyOn(rest.node.mempool, 'submit').mockRejectedValue(full);
    expect((await rest.post('/blocks', { data: 'x' })).status).toBe(500);
    const ready = await rest.get('/health/ready');
    expect(ready.status).toBe(503);
    expect(ready.json).toMatchObject({
      code: 'not-ready',
      reasons: ['storage: the last write failed: database or disk is full'],
    });
  });
});

describe('load', () => {
  it('bounds connections and slow requests', async () => {
    rest = await startRestApp();
    const server = rest.node.app.getHttpServer();
    expect(server.headersTimeout).toBe(10_000);
    expect(server.timeout).toBe(30_000);
    expect(server.requestTimeout).toBe(30_000);
    expect(server.keepAliveTimeout).toBe(65_000);
  });
});

describe('/metrics and /health', () => {
  it('gives the Prometheus text format, requests by route', async () => {
    rest = await startRestApp();
    await rest.get('/blocks/0');
    await rest.get('/blocks/1');
    await rest.get('/random/path');
    const { status, headers, text } = await rest.get('/metrics');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
    const label = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\.)*"`;
    const value = '(?:[-+]?[0-9.]+(?:e[-+]?[0-9]+)?|Na[Nn]|[-+]Inf)';
    const line = new RegExp(`^(?:# (?:HELP|TYPE) ${name} .*|${name}(?:\\{${label}(?:,${label})*\\})? ${value}|)$`);
    for (const each of text.split('\n')) expect(each).toMatch(line);
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toMatch(/minichain_build_info\{version="\d+\.\d+\.\d+",nodejs="v\d+/);
    const series = text.split('\n').filter((each) => each !== '' && !each.startsWith('#'));
    for (const each of series) expect(each).toMatch(/[{,]node="rest"[,}]/);
    const count = (labels: string) => `minichain_http_request_duration_seconds_count{node="rest",${labels}} 1`;
    expect(text).toContain(count('method="GET",route="/blocks/:id",status="200"'));
    expect(text).toContain(count('method="GET",route="/blocks/:id",status="404"'));
    expect(text).toContain(count('method="GET",route="none",status="404"'));
  });

  it('says live and ready', async () => {
    rest = await startRestApp();
    expect((await rest.get('/health/live')).json).toEqual({ status: 'live' });
    expect((await rest.get('/health/ready')).json).toEqual({ status: 'ready' });
    rest.health.setReady('listening', false, 'draining');
    const answer = await rest.get('/health/ready');
    expect(answer.status).toBe(503);
    expect(answer.json.reasons).toEqual(['listening: draining']);
    expect((await rest.get('/health/live')).status).toBe(200);
  });
});
