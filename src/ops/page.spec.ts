import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRestApp, type RestApp } from '../../test/support/rest-app.js';
import { PAGE_DIRECTORY } from './page.js';

const TOKEN = 'a-token-of-some-length';

describe('the page', () => {
  let rest: RestApp;
  let script: string;
  beforeAll(async () => {
    if (!existsSync(`${PAGE_DIRECTORY}index.html`)) throw new Error('the page is not built: npm run build');
    script = `/assets/${readdirSync(`${PAGE_DIRECTORY}assets`).find((name) => /^index-.*\.js$/.test(name))}`;
    rest = await startRestApp({ MINICHAIN_HTTP_WRITE_TOKEN: TOKEN });
  });
  afterAll(() => rest.close());

  it('is served at / to anybody, whatever its parameters, and asked for again each time', async () => {
    for (const path of ['/', '/?present']) {
      const { status, headers, text } = await rest.get(path, { 'sec-fetch-site': 'cross-site' });
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(headers.get('cache-control')).toContain('max-age=0');
      expect(text).toContain(script);
    }
  });

  it('may run its own scripts only, and ask its own node only', async () => {
    const { headers } = await rest.get('/');
    const policy = headers.get('content-security-policy')!;
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self'",
      "worker-src 'self'",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  });

  it('may ask the nodes of the lab too', async () => {
    const lab = await startRestApp({ MINICHAIN_LAB_ENABLED: 'true', MINICHAIN_LAB_NODES: 'http://127.0.0.1:18999' });
    const policy = (await lab.get('/')).headers.get('content-security-policy');
    await lab.close();
    expect(policy).toContain("; connect-src 'self' http://127.0.0.1:18999 http://localhost:18999;");
  });

  it('has parts whose names change with their content, kept for ever and sent compressed', async () => {
    const sizes: number[] = [];
    for (const encoding of ['identity', 'gzip', 'br']) {
      const { status, headers } = await rest.get(script, { 'accept-encoding': encoding });
      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(headers.get('content-encoding')).toBe(encoding === 'identity' ? null : encoding);
      sizes.push(Number(headers.get('content-length')));
    }
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  });

  it('leads to no other file, and takes no other method', async () => {
    for (const path of ['/assets/none.js', '/assets/..%2f..%2fpackage.json', '/assets/%2e%2e/main.js', '/index.html']) {
      const { status, json } = await rest.get(path);
      expect([path, status, json?.code]).toEqual([path, 404, 'not-found']);
    }
    const { status, headers } = await rest.post('/', {}, { authorization: `Bearer ${TOKEN}` });
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('GET, HEAD');
  });
});
