import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { NodeProcess, freePort, temporaryDirectory } from '../support/node-process.js';
import { median, type Report } from './report.js';

const CONNECTIONS = 32;
const POSTS = 6_000;
const ROUNDS = 5;

/** POST /blocks accepted per second: 32 keep-alive connections, each answer durable, beside two bare servers. */
export async function run(): Promise<Report> {
  const directory = temporaryDirectory();
  const settings = { BLOCKCHAIN_AUTO_MINE: 'false', MEMPOOL_MAX_TRANSACTIONS: '1000000', NODE_LOG_LEVEL: 'warn' };
  const node = await (await NodeProcess.create('node-1', `${directory.path}/node-1`, settings)).spawn().ready();
  const parse = await bareServer('parse', directory.path);
  const commit = await bareServer('commit', directory.path);
  const rates: Record<'node' | 'parse' | 'commit', number[]> = { node: [], parse: [], commit: [] };
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const measured = {
        node: await rateOf(node.httpPort),
        parse: await rateOf(parse.port),
        commit: await rateOf(commit.port),
      };
      // The first round warms all three up.
      if (round > 0) for (const key of ['node', 'parse', 'commit'] as const) rates[key].push(measured[key]);
    }
  } finally {
    await node.kill('SIGKILL');
    for (const { child } of [parse, commit]) child.kill('SIGKILL');
    directory.remove();
  }
  const [ours, bare, single] = [median(rates.node), median(rates.parse), median(rates.commit)];
  return {
    name: `POST /blocks, ${CONNECTIONS} keep-alive connections, medians of ${ROUNDS} rounds of ${POSTS}`,
    rows: [
      { label: 'minichain: validated, durable (grouped commits)', value: ours, unit: 'posts/s', ratio: ours / single },
      { label: 'bare node:http, one durable SQLite commit each (baseline)', value: single, unit: 'posts/s' },
      {
        label: 'bare node:http, parses and answers, stores nothing',
        value: bare,
        unit: 'posts/s',
        ratio: bare / single,
      },
    ],
  };
}

async function bareServer(mode: string, directory: string): Promise<{ port: number; child: ChildProcess }> {
  const port = await freePort();
  const script = fileURLToPath(new URL('bare-server.js', import.meta.url));
  const child = spawn(process.execPath, [script, String(port), mode, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return { port, child };
}

async function rateOf(port: number): Promise<number> {
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, index) => postMany(port, POSTS / CONNECTIONS, `client ${index}`)),
  );
  return POSTS / ((performance.now() - startMs) / 1000);
}

/** A client as light as can be, since it shares two cores with the server: raw sockets, one post at a time. */
async function postMany(port: number, count: number, name: string): Promise<void> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  await new Promise<void>((resolve, reject) => {
    let answered = 0;
    let received = '';
    const post = (): void => {
      const body = JSON.stringify({ data: `${name}, entry ${answered}: ${'x'.repeat(150)}` });
      socket.write(
        `POST /blocks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    };
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(received)?.[1];
      if (end < 0 || length === undefined || received.length < end + 4 + Number(length)) return;
      if (!received.startsWith('HTTP/1.1 202')) return reject(new Error(received));
      received = '';
      answered += 1;
      if (answered < count) return post();
      resolve();
    });
    socket.once('error', reject);
    post();
  });
  socket.destroy();
}
