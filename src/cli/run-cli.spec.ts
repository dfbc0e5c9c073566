import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { StoredBlock } from '../chain/chain-schemas.js';
import type { Status } from '../ops/status-schemas.js';
import { runCli } from './run-cli.js';
import type { Terminal } from './terminal.js';

const HASH = 'ab'.repeat(32);
const ID = 'cd'.repeat(32);
/** Of those that `fetch` refuses (https://fetch.spec.whatwg.org/#port-blocking), some that seldom are in use. */
const RESERVED_PORTS = [10_080, 6697, 6566, 6665, 4190];

const STATUS: Status = {
  nodeId: 'node-1',
  network: 'minichain',
  genesis: HASH,
  height: 12,
  length: 13,
  tip: HASH,
  chainWork: HASH,
  difficulty: 4,
  peers: { connected: 2, known: 2 },
  mempool: { transactions: 1, bytes: 2048 },
  mining: { auto: true, active: false, hashRate: 0, maxHashRate: 0 },
  sync: {
    state: 'idle',
    progress: 1,
    height: 12,
    targetHeight: 12,
    blocksPerSecond: 0,
    etaSeconds: null,
    peer: null,
  },
  version: '0.1.0',
  uptimeSeconds: 61,
};

const BLOCK: StoredBlock = {
  index: 12,
  hash: HASH,
  previousHash: HASH,
  merkleRoot: HASH,
  version: 1,
  time: 1_795_354_455,
  timestamp: '2026-11-22T13:14:15.000Z',
  bits: '1f00ffff',
  difficulty: 4,
  nonce: 4711,
  miner: 'node-2',
  size: 240,
  confirmations: 1,
  transactions: [
    { id: HASH, kind: 'coinbase', data: null, timestamp: null, salt: null },
    { id: ID, kind: 'data', data: 'Hi\u001b[2J', timestamp: '2026-11-22T13:14:14.000Z', salt: '' },
  ],
};

interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

type Route = (body: string, request: IncomingMessage) => Reply;

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** A real HTTP server that answers as the routes ("GET /status") say; its address. */
async function serve(routes: Record<string, Route>, ports: readonly number[] = [0]): Promise<string> {
  const own = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const route = routes[`${request.method} ${request.url}`];
    const reply = route?.(body, request) ?? {
      status: 404,
      body: { detail: `no route ${request.url}`, code: 'not-found' },
    };
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
    response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
  }
  server = own;
  for (const port of ports) if (await listens(own, port)) break;
  return `http://127.0.0.1:${(own.address() as AddressInfo).port}`;
}

/** Whether the port was free. */
function listens(own: Server, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    own.once('error', () => resolve(false));
    own.listen(port, '127.0.0.1', () => resolve(true));
  });
}

async function run(
  argv: readonly string[],
  { env = {}, stdin = '' }: { env?: Record<string, string>; stdin?: string | Buffer } = {},
): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    env,
    stdin: Readable.from(stdin.length > 0 ? [Buffer.from(stdin)] : []),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  };
  const code = await runCli(argv, terminal);
  return { code, out, err };
}

describe('client commands', () => {
  it('status: a short table', async () => {
    const url = await serve({ 'GET /status': () => ({ body: STATUS }) });
    const { code, out, err } = await run(['status', '--url', url]);
    expect([code, err]).toEqual([0, '']);
    expect(out).toBe(
      [
        'node        node-1 of network minichain (version 0.1.0, up 1 min 1 s)',
        'chain       13 blocks, tip at height 12',
        `tip         ${HASH}`,
        'difficulty  4',
        'peers       2 connected, 2 known',
        'mempool     1 transaction, 2.0 KiB',
        'mining      by itself, idle',
        'sync        in sync\n',
      ].join('\n'),
    );
    const alone = await serve({ 'GET /status': () => ({ body: { ...STATUS, peers: { connected: 0, known: 2 } } }) });
    expect((await run(['status', '--url', alone])).out).toContain('sync        no peers\n');
  });

  it('--json prints the body as it is', async () => {
    const body = '{"nodeId":  "node-1"}';
    const url = await serve({ 'GET /status': () => ({ body }) });
    expect((await run(['status', '--url', url, '--json'])).out).toBe(`${body}\n`);
  });

  it('takes the address from MINICHAIN_URL, also without http://', async () => {
    const url = await serve({ 'GET /status': () => ({ body: STATUS }) });
    expect((await run(['status'], { env: { MINICHAIN_URL: url.replace('http://', '') } })).code).toBe(0);
  });

  it('chain: newest blocks, with data that cannot steer the terminal', async () => {
    const body = { length: 13, tip: HASH, from: 12, blocks: [BLOCK] };
    const url = await serve({ 'GET /chain?limit=1&from=12': () => ({ body }) });
    const { code, out } = await run(['chain', '--limit', '1', '--from', '12', '--url', url]);
    expect(code).toBe(0);
    expect(out).toContain('Hi\\u{1b}[2J');
    expect(out).toMatch(/12 {2}ababababababab.*2026-11-22 13:14:15Z {2}node-2/);
    expect(out).toContain('13 blocks in all\n');
  });

  it('block: by height or hash', async () => {
    const url = await serve({
      'GET /blocks/12': () => ({ body: BLOCK }),
      [`GET /blocks/${HASH}`]: () => ({ body: { ...BLOCK, confirmations: 0 } }),
    });
    expect((await run(['block', '12', '--url', url])).out).toContain('confirmed    1 block deep');
    expect((await run(['block', HASH.toUpperCase(), '--url', url])).out).toContain('not on the active chain');
    expect(await run(['block', 'abc', '--url', url])).toMatchObject({ code: 2, out: '' });
  });

  it('peers and mempool: tables, and a sentence where there is nothing', async () => {
    const peer = { id: 'node-2', address: '127.0.0.1:9092', connected: true, lastSeen: '2026-11-22T13:14:15.000Z' };
    const url = await serve({
      'GET /peers': () => ({
        body: { connected: 1, peers: [{ ...peer, direction: 'outbound', latencyMs: 1.23, height: 12, score: 0 }] },
      }),
      'GET /mempool': () => ({ body: { transactions: 0, bytes: 0, offset: 0, entries: [] } }),
    });
    const peers = await run(['peers', '--url', url]);
    expect(peers.out).toMatch(/node-2 {2}127\.0\.0\.1:9092 {2}outbound {3}12 {6}1\.2 ms/);
    expect(peers.out).toContain('1 peer known, 1 connected');
    expect((await run(['mempool', '--url', url])).out).toBe('0 transactions pending, 0 B\n');
  });

  it('peers: an address nobody has been met at yet has no node id', async () => {
    const unmet = { id: null, lastSeen: null, direction: null, latencyMs: null, height: null, score: 0 };
    const body = { connected: 0, peers: [{ ...unmet, address: '10.0.0.1:9091', connected: false }] };
    const url = await serve({ 'GET /peers': () => ({ body }) });
    const { code, out } = await run(['peers', '--url', url]);
    expect(code).toBe(0);
    expect(out).toMatch(/^\? +10\.0\.0\.1:9091 +no +never$/m);
  });

  it('peers disconnect and connect: the node id in the path, the token; a refused link in the table', async () => {
    const seen: string[] = [];
    const link = { id: 'node-2', connected: false };
    const route = (name: string, refused: boolean): Record<string, Route> => ({
      [`POST /peers/node-2/${name}`]: (_body, { headers }) => {
        seen.push(`${name} ${headers.authorization}`);
        return { body: { ...link, refused } };
      },
    });
    const gone = { lastSeen: null, direction: null, latencyMs: null, height: null, score: 0 };
    const peers = [{ ...gone, ...link, address: '10.0.0.2:9091', refused: true }];
    const url = await serve({
      ...route('disconnect', true),
      ...route('connect', false),
      'GET /peers': () => ({ body: { connected: 0, peers } }),
    });
    const cut = await run(['peers', 'disconnect', 'node-2', '--url', url, '--token', 't']);
    expect(cut).toMatchObject({ code: 0, out: 'Disconnected from node-2; links with it are refused\n' });
    expect((await run(['peers', '--url', url])).out).toMatch(/^node-2 +10\.0\.0\.2:9091 +refused +never$/m);
    const back = await run(['peers', '--url', url, '--token', 't', 'connect', 'node-2']);
    expect(back).toMatchObject({ code: 0, out: 'Links with node-2 are allowed; dialling it\n' });
    expect(seen).toEqual(['disconnect Bearer t', 'connect Bearer t']);
    expect(await run(['peers', 'connect', 'nobody', '--url', url])).toMatchObject({ code: 1, out: '' });
    const wrong = await run(['peers', 'disconnect']);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain('minichain peers disconnect --help');
  });

  it('bans: a table; bans remove: the subject in the path, the token, options before or after', async () => {
    const ban = { subject: 'host:2001:db8::7', until: '2026-11-23T13:14:15.000Z', code: 'high-hash' };
    const tokens: unknown[] = [];
    const url = await serve({
      'GET /peers/bans': () => ({ body: { bans: [ban] } }),
      'DELETE /peers/bans/2001%3Adb8%3A%3A7': (_body, { headers }) => {
        tokens.push(headers.authorization);
        return { body: { lifted: [ban] } };
      },
    });
    const listed = await run(['bans', '--url', url]);
    expect(listed.out).toMatch(/host:2001:db8::7 {2}2026-11-23.* {2}high-hash\n1 ban\n$/);
    const lifted = 'Ban of host:2001:db8::7 lifted\n';
    expect(await run(['bans', 'remove', '2001:db8::7', '--url', url, '--token', 't'])).toMatchObject({ out: lifted });
    expect(await run(['bans', '--url', url, '--token', 't', 'remove', '2001:db8::7'])).toMatchObject({ out: lifted });
    expect(tokens).toEqual(['Bearer t', 'Bearer t']);
    expect(await run(['bans', 'remove', 'nobody', '--url', url])).toMatchObject({ code: 1 });
    const wrong = await run(['bans', 'remove']);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.err).toContain('minichain bans remove --help');
  });

  it('submit: posts the string with the token; - reads stdin without its last line break', async () => {
    const seen: string[] = [];
    const url = await serve({
      'POST /blocks': (body, { headers }) => {
        seen.push(`${headers.authorization} ${headers['content-type']} ${body}`);
        return { status: 202, body: { id: ID, status: 'pending' } };
      },
    });
    const first = await run(['submit', 'a "b"', '--url', url, '--token', 't1']);
    const second = await run(['submit', '-', '--url', url], {
      stdin: 'line 1\nline 2\n',
      env: { MINICHAIN_TOKEN: 't2' },
    });
    // That of the container it runs in is for the node there.
    await run(['submit', 'c', '--url', url], { env: { MINICHAIN_HTTP_WRITE_TOKEN: 't3' } });
    expect([first.out, second.code]).toEqual([`${ID} is pending\n`, 0]);
    expect(seen).toEqual([
      'Bearer t1 application/json {"data":"a \\"b\\""}',
      'Bearer t2 application/json {"data":"line 1\\nline 2"}',
      'undefined application/json {"data":"c"}',
    ]);
  });

  it('in the container of a node asks that one, wherever its port is set to be', async () => {
    const tokens: unknown[] = [];
    const url = await serve({
      'POST /blocks': (_, { headers }) => {
        tokens.push(headers.authorization);
        return { status: 202, body: { id: ID, status: 'pending' } };
      },
    });
    const env = { MINICHAIN_NODE_HTTP_PORT: new URL(url).port, MINICHAIN_HTTP_WRITE_TOKEN: 't' };
    expect((await run(['submit', 'a'], { env })).code).toBe(0);
    expect(tokens).toEqual(['Bearer t']);
  });

  it('submit: refuses bytes that are not UTF-8 before they are sent', async () => {
    const { code, err } = await run(['submit', '-'], { stdin: Buffer.from([0xff, 0xfe]) });
    expect([code, err]).toEqual([
      2,
      'minichain: stdin is not UTF-8 text: encode it first, for example with `base64 -w0`\n',
    ]);
  });

  it('submit --wait: until it is confirmed', async () => {
    let polls = 0;
    const url = await serve({
      'POST /blocks': () => ({ status: 202, body: { id: ID, status: 'pending' } }),
      [`GET /transactions/${ID}`]: () => {
        polls += 1;
        const isMined = polls > 2;
        const block = isMined ? { index: 7, hash: HASH } : null;
        return { body: { id: ID, status: isMined ? 'confirmed' : 'pending', block } };
      },
    });
    const { code, out } = await run(['submit', 'x', '--wait', '--url', url]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^${ID} is in block 7 \\(${HASH}\\) after \\d+ ms\n$`));
  });

  it('submit --wait: keeps asking while the node restarts, and says so once', async () => {
    let polls = 0;
    const url = await serve({
      'POST /blocks': () => ({ status: 202, body: { id: ID, status: 'pending' } }),
      [`GET /transactions/${ID}`]: () => {
        polls += 1;
        if (polls === 4) return { status: 503, headers: { 'retry-after': '1' }, body: { detail: 'starting' } };
        return { body: { id: ID, status: polls > 4 ? 'confirmed' : 'pending', block: { index: 7, hash: HASH } } };
      },
    });
    const { port } = new URL(url);
    let [out, err] = ['', ''];
    const terminal: Terminal = {
      env: {},
      stdin: Readable.from([]),
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
    };
    const running = runCli(['submit', 'x', '--wait', '--url', url], terminal);
    await vi.waitFor(() => expect(polls).toBeGreaterThan(1), { timeout: 10_000 });
    const old = server!;
    old.closeAllConnections();
    await new Promise((resolve) => old.close(resolve));
    await vi.waitFor(() => expect(err).toContain('still waiting'), { timeout: 10_000 });
    polls = 3;
    await new Promise<void>((resolve) => old.listen(Number(port), '127.0.0.1', resolve));
    expect([await running, out]).toEqual([0, expect.stringContaining('is in block 7')]);
    expect(err.match(/no node reachable at .* \(connection refused\); still waiting\n/g)).toHaveLength(1);
  });

  it('submit --wait: exit code 3 when the node is not back in time', async () => {
    const url = await serve({
      'POST /blocks': (_body, { socket }) => {
        server!.close();
        socket.once('finish', () => socket.destroy());
        return { status: 202, headers: { connection: 'close' }, body: { id: ID, status: 'pending' } };
      },
    });
    const { code, err } = await run(['submit', 'x', '--wait', '--timeout', '1', '--url', url]);
    expect(code).toBe(3);
    expect(err).toMatch(new RegExp(`\n.*${ID} was accepted; after 1.0 s, no node reachable`));
  });

  it('reaches a node at a port that the web reserves', async () => {
    const url = await serve({ 'GET /status': () => ({ body: STATUS }) }, RESERVED_PORTS);
    expect((await run(['status', '--url', url])).code).toBe(0);
    await expect(fetch(`${url}/status`)).rejects.toThrow('fetch failed');
  });

  it('submit --wait --timeout: gives up with exit code 1 and says what to look at', async () => {
    const url = await serve({
      'POST /blocks': () => ({ status: 202, body: { id: ID, status: 'pending' } }),
      [`GET /transactions/${ID}`]: () => ({ body: { id: ID, status: 'pending', block: null } }),
    });
    const { code, err } = await run(['submit', 'x', '--wait', '--timeout', '1', '--url', url]);
    expect(code).toBe(1);
    expect(err).toMatch(/is still pending after 1\.0 s: is any node mining\?.*\n$/);
  });

  it('mine: one request a block, so that each is seen; one in all with --json', async () => {
    const bodies: string[] = [];
    const url = await serve({
      'POST /mine': (body) => {
        bodies.push(body);
        return { body: { blocks: [{ index: bodies.length, hash: HASH }] } };
      },
    });
    expect((await run(['mine', '2', '--url', url])).out).toBe(`mined block 1 ${HASH}\nmined block 2 ${HASH}\n`);
    expect((await run(['mine', '3', '--json', '--url', url])).code).toBe(0);
    expect(bodies).toEqual(['{"blocks":1}', '{"blocks":1}', '{"blocks":3}']);
  });

  it('status --watch: progress on stderr until the chain is in sync', async () => {
    const syncs: Status[] = [
      { ...STATUS, peers: { connected: 0, known: 1 } },
      {
        ...STATUS,
        sync: {
          state: 'blocks',
          progress: 0.451,
          height: 4510,
          targetHeight: 10_000,
          blocksPerSecond: 820.4,
          etaSeconds: 7,
          peer: 'node-2',
        },
      },
      STATUS,
    ];
    const url = await serve({ 'GET /status': () => ({ body: syncs.length > 1 ? syncs.shift() : STATUS }) });
    let err = '';
    const terminal: Terminal = {
      env: {},
      stdin: Readable.from([]),
      stdout: { write: () => true },
      stderr: { write: (text) => (err += text), isTTY: true, columns: 100 },
    };
    expect(await runCli(['status', '--watch', '--url', url], terminal)).toBe(0);
    expect(err.split('\r\x1b[K')).toEqual([
      '',
      'waiting for a peer',
      'blocks 45 %, 4,510 of 10,000, 820 blocks/s, 7.0 s left',
      '',
    ]);
  });
});

describe('what goes wrong', () => {
  it('exit code 1: the node refused, in its own words', async () => {
    const problem = { title: 'Bad Request', detail: 'data is empty\u001b[2J', code: 'bad-txn-data-empty' };
    const url = await serve({ 'POST /blocks': () => ({ status: 400, body: problem }) });
    expect(await run(['submit', '', '--url', url])).toEqual({
      code: 1,
      out: '',
      err: 'minichain: the node refused: data is empty\\u{1b}[2J (bad-txn-data-empty, HTTP 400)\n',
    });
  });

  it('says what to do about a missing token and a full mempool', async () => {
    const url = await serve({
      'POST /blocks': () => ({ status: 401, body: { detail: 'no token', code: 'unauthorized' } }),
      'POST /mine': () => ({ status: 503, headers: { 'retry-after': '2' }, body: { detail: 'full', code: 'full' } }),
    });
    expect((await run(['submit', 'x', '--url', url])).err).toContain('; give it with --token or in MINICHAIN_TOKEN');
    expect((await run(['mine', '--url', url])).err).toContain('; try again in 2 s');
  });

  it('exit code 1: what answers is not a minichain node', async () => {
    const url = await serve({ 'GET /status': () => ({ body: '<html>' }) });
    const { code, err } = await run(['status', '--url', url]);
    expect([code, err]).toEqual([1, `minichain: what answers at ${url} is not a minichain node: check --url\n`]);
  });

  it('exit code 2: an argument or a token that is not UTF-8', async () => {
    const url = await serve({});
    const { code, err } = await run(['submit', 'caf\uFFFD', '--url', url]);
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/^minichain: the argument "caf\uFFFD" is not UTF-8: .*stdin.*\n$/),
    ]);
    expect((await run(['peers', 'disconnect', 'n\uFFFD', '--url', url])).code).toBe(2);
    const env = { MINICHAIN_TOKEN: '\uFFFD' };
    expect(await run(['status', '--url', url], { env })).toMatchObject({
      code: 2,
      err: expect.stringContaining('check --token'),
    });
  });

  it('a redirect: says where it leads', async () => {
    const url = await serve({ 'GET /status': () => ({ status: 301, headers: { location: 'https://x/' }, body: {} }) });
    const { code, err } = await run(['status', '--url', url]);
    expect([code, err]).toEqual([1, expect.stringContaining('(HTTP 301); it points to https://x/: check --url')]);
  });

  it('exit code 3: nobody listens there', async () => {
    const url = await serve({});
    await new Promise((resolve) => server!.close(resolve));
    const { code, err } = await run(['status', '--url', url]);
    expect(code).toBe(3);
    expect(err).toMatch(
      /^minichain: no node reachable at http:\/\/127\.0\.0\.1:\d+ \(connection refused\): start one.*\n$/,
    );
  });

  it.each([
    [['statsu'], "minichain: unknown command 'statsu' (Did you mean status?); see `minichain --help`\n"],
    [['status', '--jsn'], "minichain: unknown option '--jsn' (Did you mean --json?); see `minichain status --help`\n"],
    [['block'], "minichain: missing required argument 'height|hash'; see `minichain block --help`\n"],
    [['status', '--url', 'ftp://x'], 'minichain: --url must be like http://127.0.0.1:8091, got "ftp://x"\n'],
    [['cluster', '--config-dir', '/nowhere'], '/nowhere/node1.toml does not exist; run this in'],
    [['start', '--config', '/nowhere.toml'], 'minichain: /nowhere.toml: does not exist\n'],
  ])('exit code 2: %j', async (argv, message) => {
    const { code, out, err } = await run(argv);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err.endsWith('\n') && err.indexOf('\n') === err.length - 1).toBe(true);
  });

  it.each([
    ['mine', '0'],
    ['mine', '1e3'],
    ['mine', '1001'],
    ['chain', '--limit', 'x'],
    ['cluster', '--nodes', '0'],
  ])('exit code 2: %s %s %s is no such number', async (...argv) => {
    const { code, err } = await run(argv.filter((part) => typeof part === 'string'));
    expect(code).toBe(2);
    expect(err).toContain('It must be a whole number from');
  });

  it('exit code 2: all mistakes of a configuration, one a line', async () => {
    const env = { MINICHAIN_NODE_NODE_ID: 'a b', MINICHAIN_NODE_HTTP_PORT: 'x', MINICHAIN_NODE_P2P_PORT: '-1' };
    const { code, err } = await run(['start'], { env });
    expect(code).toBe(2);
    expect(err.match(/^minichain: MINICHAIN_NODE_/gm)).toHaveLength(3);
  });
});

describe('help', () => {
  it.each([
    '',
    'start',
    'cluster',
    'status',
    'chain',
    'block',
    'submit',
    'peers',
    'bans',
    'mempool',
    'mine',
    'backup',
    'restore',
  ])('%s --help: exit code 0, with an example', async (name) => {
    const { code, out, err } = await run(name === '' ? ['--help'] : [name, '--help']);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^Usage: minichain/);
    expect(out).toMatch(/\nExamples?:\n {2}/);
  });

  it('tells the exit codes and every setting', async () => {
    expect((await run(['--help'])).out).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 .*\n/);
    expect((await run(['start', '--help'])).out).toMatch(/\[blockchain\]\n {4}difficulty +4 /);
  });

  it('without a command shows the help and fails', async () => {
    const { code, err } = await run([]);
    expect(code).toBe(2);
    expect(err).toContain('Usage: minichain');
  });
});
