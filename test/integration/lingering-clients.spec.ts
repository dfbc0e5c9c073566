import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TestAuthority } from '../support/certs.js';
import { freePort, type NodeProcess } from '../support/node-process.js';
import { useNodeProcesses, type NodeProcesses } from '../support/node-processes.js';
import { waitFor } from '../support/wait.js';

/** A node that gives up closing says so after 8 s and ends with code 1. It never may; the rest is for a busy machine. */
const STOP_LIMIT_MS = 12_000;

const sockets: { destroy(): void }[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A client that connects, writes `text`, and reads nothing unless told to. */
async function client(port: number, text = '', { reads = false } = {}): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
  sockets.push(socket);
  await new Promise((resolve) => socket.once('connect', resolve));
  if (text !== '') socket.write(text);
  if (reads) socket.resume();
  else socket.pause();
  return socket;
}

/** A node with a port for JSON-RPC. */
interface Lingering extends NodeProcess {
  readonly rpcPort: number;
}

const USER = { RPC_USER: 'alice', RPC_PASSWORD: 'secret' };
const BASIC = `Authorization: Basic ${Buffer.from('alice:secret').toString('base64')}`;
const CALL = '{"method":"getblockcount"}';
const POST_RPC = (length: number): string =>
  `POST / HTTP/1.1\r\nHost: x\r\n${BASIC}\r\nContent-Length: ${length}\r\n\r\n`;

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

/** What clients do to a node before it is asked to stop. */
const CLIENTS: Readonly<Record<string, (node: Lingering) => Promise<unknown>>> = {
  'a connection that says nothing': ({ httpPort }) => client(httpPort),
  'half a head': ({ httpPort }) => client(httpPort, 'GET /status HTTP/1.1\r\nHos'),
  'half a body': ({ httpPort }) =>
    client(httpPort, 'POST /blocks HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"data"'),
  'a connection that is kept alive': async ({ httpPort }) => {
    const socket = await client(httpPort, GET('/status'));
    await new Promise((resolve) => socket.once('readable', resolve));
  },
  'a browser that shows /docs': async ({ httpPort }) => {
    for (const path of ['/docs', '/docs-json']) await client(httpPort, GET(path), { reads: true });
  },
  'a reader of a long chain that does not read': async (node) => {
    for (let n = 0; n < 60; n++) await node.submit(`${n} ${'x'.repeat(16_000)}`);
    await node.post('/mine', { blocks: 1 });
    for (let n = 0; n < 5; n++) await client(node.httpPort, GET('/chain?limit=1000').repeat(10));
  },
  'a caller for whom it mines': ({ httpPort }) =>
    client(httpPort, 'POST /mine HTTP/1.1\r\nHost: x\r\nContent-Length: 15\r\n\r\n{"blocks":1000}'),
  'a gRPC connection that says nothing': ({ p2pPort }) => client(p2pPort),
  'an HTTP/2 connection without a stream': async ({ p2pAddress }) => {
    const session = connectHttp2(`http://${p2pAddress}`).on('error', () => {});
    sockets.push(session);
    await new Promise((resolve) => session.once('remoteSettings', resolve));
  },
  'a gRPC peer that says nothing and does not read': async ({ p2pAddress }) => {
    const session = connectHttp2(`http://${p2pAddress}`).on('error', () => {});
    sockets.push(session);
    const head = { ':method': 'POST', ':path': '/minichain.v1.PeerService/Connect', te: 'trailers' };
    session.request({ ...head, 'content-type': 'application/grpc' }).on('error', () => {});
    await new Promise((resolve) => session.once('remoteSettings', resolve));
  },
  'a JSON-RPC connection that says nothing': ({ rpcPort }) => client(rpcPort),
  'half a JSON-RPC call': ({ rpcPort }) => client(rpcPort, `${POST_RPC(100)}{"method"`),
  'a JSON-RPC connection that is kept alive': async ({ rpcPort }) => {
    const socket = await client(rpcPort, `${POST_RPC(CALL.length)}${CALL}`);
    await new Promise((resolve) => socket.once('readable', resolve));
  },
  'a JSON-RPC caller of many long batches that does not read': async (node) => {
    const batch = `[${Array<string>(2_500).fill('{"method":"getblockheader","params":["x"]}').join(',')}]`;
    for (let n = 0; n < 5; n++) await client(node.rpcPort, `${POST_RPC(batch.length)}${batch}`.repeat(10));
  },
  'somebody who guesses the password of JSON-RPC': ({ rpcPort }) =>
    client(rpcPort, `${POST_RPC(CALL.length).replace(BASIC, 'Authorization: Basic eA==')}${CALL}`.repeat(50)),
};

async function start(processes: NodeProcesses): Promise<Lingering> {
  const rpcPort = await freePort();
  const node = await processes.create('node-1', { ...USER, RPC_PORT: String(rpcPort) });
  return Object.assign(await node.spawn().ready(), { rpcPort });
}

async function expectCleanStop(node: NodeProcess): Promise<void> {
  expect(await node.kill('SIGTERM', STOP_LIMIT_MS)).toBe(0);
  expect(node.output).not.toContain('Shutdown hangs');
  expect(node.output).toMatch(/ Stopped$/m);
}

/** Waits until one server of the node has so many connections. */
async function openConnections(node: NodeProcess, server: 'rest' | 'peers', count: number): Promise<void> {
  await waitFor(`${server} has ${count} connections`, async () => {
    const metrics = await (await fetch(`${node.url}/metrics`)).text();
    return metrics.includes(`minichain_open_connections{server="${server}",node="${node.nodeId}"} ${count}\n`);
  });
}

describe('a node that is asked to stop', () => {
  const processes = useNodeProcesses({ BLOCKCHAIN_DIFFICULTY: '4', BLOCKCHAIN_AUTO_MINE: 'false' });

  it.each(Object.keys(CLIENTS))('ends with code 0 in time, whatever %s does', async (name) => {
    const node = await start(processes);
    await CLIENTS[name]!(node);
    await expectCleanStop(node);
  });

  it('ends in time with all of them at once', async () => {
    const node = await start(processes);
    for (const open of Object.values(CLIENTS)) await open(node);
    await expectCleanStop(node);
  });

  it('ends with code 0 in time, although a TLS handshake never ends', async () => {
    const authority = await TestAuthority.create();
    const tls = await authority.settings(`${processes.path}/certs`, 'node-1');
    const node = await (await processes.create('node-1', tls)).spawn().ready();
    // The head of a TLS record that holds a ClientHello of 508 bytes, and the first few of them.
    const half = Buffer.from('1603010200010001fc0303', 'hex');
    for (let n = 0; n < 5; n++) {
      const socket = await client(node.p2pPort);
      socket.write(half);
    }
    await openConnections(node, 'peers', 5);
    await expectCleanStop(node);
  });

  it('lets a request under way end, and answers new ones 503', async () => {
    const node = await (await processes.create('node-1')).spawn().ready();
    const body = '{"data":"late"}';
    const head = `POST /blocks HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`;
    const slow = await client(node.httpPort, head);
    await new Promise((resolve) => slow.once('readable', resolve));
    slow.write(body.slice(0, 5));
    const stopped = node.kill('SIGTERM', STOP_LIMIT_MS);
    await waitFor('it is stopping', () => node.output.includes('Stopping on SIGTERM'));
    const answer = await fetch(`${node.url}/status`);
    expect([answer.status, answer.headers.get('connection')]).toEqual([503, 'close']);
    expect(await answer.json()).toMatchObject({ code: 'shutting-down' });
    let received = '';
    slow.on('data', (chunk) => (received += String(chunk))).resume();
    slow.write(body.slice(5));
    expect(await stopped).toBe(0);
    expect(received).toMatch(/^HTTP\/1\.1 202 /m);
  });
});

describe('1,000 silent connections', () => {
  const processes = useNodeProcesses();

  it.each(['httpPort', 'p2pPort'] as const)('to %s keep nobody out', async (port) => {
    const [node, other] = [await processes.create('node-1'), await processes.create('node-2')];
    await node.spawn().ready();
    for (let n = 0; n < 1_000; n++) await client(node[port]);
    expect((await fetch(`${node.url}/health/live`)).status).toBe(200);
    await other.spawn([node]).ready();
    await other.connectedTo(node);
    const metrics = await (await fetch(`${node.url}/metrics`)).text();
    const server = port === 'httpPort' ? 'rest' : 'peers';
    const value = (name: string): number =>
      Number(new RegExp(`^${name}\\{server="${server}",node="node-1"\\} (\\d+)$`, 'm').exec(metrics)?.[1]);
    expect(value('minichain_open_connections')).toBeLessThanOrEqual(901);
    expect(value('minichain_connections_evicted_total')).toBeGreaterThan(50);
  });

  it('without a stream end by themselves on the port for peers', async () => {
    const node = await (await processes.create('node-1')).spawn().ready();
    const silent = await client(node.p2pPort, '', { reads: true });
    const session = connectHttp2(`http://${node.p2pAddress}`).on('error', () => {});
    sockets.push(session);
    await waitFor('both are closed', () => silent.readableEnded && session.destroyed, 30_000);
  });
});

describe('callers of POST /mine who leave', () => {
  const processes = useNodeProcesses({ BLOCKCHAIN_DIFFICULTY: '4', BLOCKCHAIN_AUTO_MINE: 'false' });
  const heightOf = async (node: NodeProcess): Promise<number> => (await node.chain()).length;

  it.each([3, 50])('leave nothing behind (%i callers)', async (count) => {
    const node = await (await processes.create('node-1')).spawn().ready();
    const body = '{"blocks":1000}';
    const request = `POST /mine HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const callers = await Promise.all(Array.from({ length: count }, () => client(node.httpPort, request)));
    await waitFor('it mines', async () => (await heightOf(node)) > 1);
    for (const caller of callers) caller.destroy();
    await waitFor(
      'it has stopped',
      async () => !(await node.get<{ mining: { active: boolean } }>('/status')).mining.active,
    );
    const height = await heightOf(node);
    expect(height).toBeLessThan(1_000);
    const { blocks } = await node.post<{ blocks: { index: number }[] }>('/mine', { blocks: 1 });
    expect(blocks.map(({ index }) => index)).toEqual([height]);
  });

  it('take turns: a caller of many blocks does not keep the others waiting', async () => {
    const node = await (await processes.create('node-1')).spawn().ready();
    const body = '{"blocks":1000}';
    const request = `POST /mine HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    let answer = '';
    (await client(node.httpPort, request)).on('data', (chunk) => (answer += String(chunk)));
    await waitFor('it mines', async () => (await heightOf(node)) > 1);
    const { blocks } = await node.post<{ blocks: { index: number }[] }>('/mine', { blocks: 3 });
    const [first, second, third] = blocks.map(({ index }) => index);
    expect([second! - first!, third! - second!]).toEqual([2, 2]);
    expect(answer).toBe('');
  });

  it('are told when too many wait', async () => {
    const node = await (await processes.create('node-1')).spawn().ready();
    const body = '{"blocks":1000}';
    const request = `POST /mine HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answers: string[] = [];
    for (let n = 0; n < 17; n++) {
      const caller = await client(node.httpPort, request, { reads: true });
      caller.on('data', (chunk) => answers.push(String(chunk)));
    }
    await waitFor('one is refused', () => answers.join('').includes('}'));
    const [head, json] = answers.join('').split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 503 /);
    expect(head).toMatch(/^content-type: application\/problem\+json/im);
    expect(head).toMatch(/^retry-after: 5$/im);
    expect(JSON.parse(json!)).toMatchObject({ code: 'mine-queue-full', retryAfterSeconds: 5 });
  });
});
