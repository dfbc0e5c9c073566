import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';

let server: Server | undefined;
afterEach(() => void server?.close());

/** Ports that `fetch` refuses; the first that is free here. */
async function listenAtReservedPort(status: number): Promise<number> {
  for (const port of [10_080, 6697, 6566, 6665, 4190]) {
    const own = createServer((request, response) => response.writeHead(status).end(`${request.url} says ${status}`));
    const isListening = await new Promise<boolean>((resolve) => {
      own.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (isListening) {
      server = own;
      return port;
    }
  }
  throw new Error('all ports are taken');
}

function check(env: Record<string, string>): Promise<{ code: number; out: string }> {
  const instruction = /^HEALTHCHECK [^]*? CMD (\[[^]*?\])$/m.exec(readFileSync('Dockerfile', 'utf8'))![1]!;
  const [, ...args] = JSON.parse(instruction.replaceAll('\\\n', '')) as string[];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (error, out) => resolve({ code: Number(error?.code ?? 0), out }));
  });
}

it.each([
  [200, 0],
  [503, 1],
])('HEALTHCHECK: readiness %i is exit code %i, at any port and whatever proxy is set', async (status, code) => {
  const port = await listenAtReservedPort(status);
  const proxy = 'http://127.0.0.1:1';
  const env = { MINICHAIN_NODE_HTTP_PORT: String(port), NODE_USE_ENV_PROXY: '1', http_proxy: proxy, HTTP_PROXY: proxy };
  expect(await check(env)).toEqual({ code, out: `/health/ready says ${status}` });
});

it('HEALTHCHECK: says why where nothing answers', async () => {
  const { code, out } = await check({ MINICHAIN_NODE_HTTP_PORT: '1' });
  expect([code, out]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
});
