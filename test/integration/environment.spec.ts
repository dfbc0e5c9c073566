import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeProcess, freePort, temporaryDirectory } from '../support/node-process.js';

const LAUNCHER = resolve('scripts/minichain.mjs');

/** Variables that containers and shells set for other programs, and that libraries of ours look at. */
describe('whatever the environment says', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let proxy: Server;
  let proxyUrl: string;
  let proxied: number;
  let nodes: NodeProcess[];

  beforeEach(async () => {
    directory = temporaryDirectory();
    [nodes, proxied] = [[], 0];
    proxy = createServer((socket) => {
      proxied += 1;
      socket.on('error', () => {}).destroy();
    });
    const port = await freePort();
    await new Promise<void>((done) => proxy.listen(port, '127.0.0.1', done));
    proxyUrl = `http://127.0.0.1:${port}`;
  });
  afterEach(async () => {
    await Promise.all(nodes.filter(({ exit }) => exit === null).map((node) => node.kill('SIGKILL')));
    proxy.close();
    directory.remove();
  });

  async function create(nodeId: string, env: Readonly<Record<string, string>>): Promise<NodeProcess> {
    const prefix = ['/usr/bin/env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
    const node = await NodeProcess.create(nodeId, `${directory.path}/${nodeId}`, {}, prefix);
    nodes.push(node);
    return node;
  }

  it.each([
    ['http_proxy', ['http_proxy']],
    ['the proxies of all programs', ['HTTP_PROXY', 'HTTPS_PROXY', 'https_proxy', 'all_proxy', 'ALL_PROXY']],
    ['the proxy of gRPC', ['grpc_proxy']],
  ])('nodes talk to each other directly: %s', async (_, names) => {
    const env = { NODE_USE_ENV_PROXY: '1', ...Object.fromEntries(names.map((name) => [name, proxyUrl])) };
    const [one, two] = [await create('node-1', env), await create('node-2', env)];
    await Promise.all([one.spawn().ready(), two.spawn([one]).ready()]);
    await two.connectedTo(one);
    expect(proxied).toBe(0);
  });

  it('settings of gRPC and Nest change nothing, and nothing but the log is written', async () => {
    const env = {
      GRPC_TRACE: 'all',
      GRPC_VERBOSITY: 'DEBUG',
      GRPC_NODE_TRACE: 'all',
      GRPC_NODE_VERBOSITY: 'DEBUG',
      GRPC_NODE_USE_ALTERNATIVE_RESOLVER: 'true',
      GRPC_DNS_RESOLVER: 'ares',
      GRPC_SSL_CIPHER_SUITES: 'nonsense',
      GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: '/nowhere',
      NEST_LOG_LEVEL: 'nonsense',
      MINICHAIN_NODE_LOG_FORMAT: 'json',
    };
    const [one, two] = [await create('node-1', env), await create('node-2', env)];
    await one.spawn().ready();
    // A name, which the other resolver would ask a DNS server about.
    await two.spawn([{ p2pAddress: `localhost:${one.p2pPort}` }]).ready();
    await two.connectedTo(one);
    await two.kill('SIGTERM');
    const strange = two.output.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
    expect(strange).toEqual([]);
  });

  it('the command line reaches this machine directly', async () => {
    const node = await (await create('node-1', {})).spawn().ready();
    const env = { ...process.env, NODE_USE_ENV_PROXY: '1', http_proxy: proxyUrl, HTTP_PROXY: proxyUrl };
    const out = await new Promise<string>((done, fail) => {
      execFile(process.execPath, [LAUNCHER, 'status', '--url', node.url], { env }, (error, stdout) => {
        if (error === null) done(stdout);
        else fail(error);
      });
    });
    expect(out).toContain('node-1');
    expect(proxied).toBe(0);
  });

  it.runIf(process.platform === 'linux')('bytes that are not UTF-8 are never posted as others', async () => {
    const submit = (text: string, env: Record<string, string> = {}): Promise<string> =>
      new Promise((done) => {
        const script = `exec "$1" "$2" submit "$(printf '${text}')" --url http://127.0.0.1:1`;
        const args = ['-c', script, 'sh', process.execPath, LAUNCHER];
        const own = { PATH: process.env['PATH'], ...env };
        execFile('/bin/sh', args, { env: own }, (_error, _stdout, stderr) => done(stderr));
      });
    expect(await submit('caf\\351')).toMatch(/^minichain: the argument "caf\uFFFD" is not UTF-8: .*\n$/);
    // U+FFFD itself is a character like any other, but npx would have put it there.
    expect(await submit('\\357\\277\\275')).toContain('no node reachable');
    expect(await submit('\\357\\277\\275', { npm_execpath: '/npx' })).toContain('is not UTF-8');
  });
});
