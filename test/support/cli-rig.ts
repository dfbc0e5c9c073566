import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach } from 'vitest';
import type { StoredBlock } from '../../src/chain/chain-schemas.js';
import { runCli } from '../../src/cli/run-cli.js';
import { encodeDataTransaction } from '../../src/consensus/data-entry.js';
import type { Terminal } from '../../src/cli/terminal.js';
import type { Status } from '../../src/ops/status-schemas.js';

export const HASH = 'ab'.repeat(32);
export const ID = 'cd'.repeat(32);

/** Of a node in sync with two peers. */
export const STATUS: Status = {
  nodeId: 'node-1',
  key: 'ab'.repeat(32),
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

/** With one entry, whose data would clear a terminal. */
export const BLOCK: StoredBlock = {
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

export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body: unknown;
}

export type Route = (body: string, request: IncomingMessage) => Reply;

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** Ends the server that serves now, at once. */
export async function stopServing(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  server!.close(() => resolve());
  server!.closeAllConnections();
  await promise;
}

/** As stopServing, but answers under way are still given. */
export function stopListening(): void {
  server!.close();
}

/** Starts it again at the same address. */
export function serveAgain(url: string): Promise<boolean> {
  return listens(server!, Number(new URL(url).port));
}

/** As a node answers POST /blocks with one entry. */
export const accept: Route = (body) => {
  const { data, timestamp, salt } = JSON.parse(body) as { data: string; timestamp: number; salt: string };
  const { id } = encodeDataTransaction(data, timestamp, Buffer.from(salt, 'hex'));
  return { status: 202, body: { id, status: 'pending' } };
};

/** A real HTTP server that answers as the routes ("GET /status", "GET /transactions/:id") say; its address. */
export async function serve(routes: Record<string, Route>, ports: readonly number[] = [0]): Promise<string> {
  const own = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const name = `${request.method} ${request.url}`;
    const route = routes[name] ?? routes[name.replace(/[0-9a-f]{64}/, ':id')];
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

interface CommandOptions {
  readonly env?: Record<string, string>;
  readonly stdin?: string | Buffer;
  /** Standard error is a terminal of this width. */
  readonly columns?: number;
  /** Standard output is a terminal of this width. */
  readonly width?: number;
}

/** What a command that runs has written so far, and its exit code once it has ended. */
export interface Running {
  readonly out: string;
  readonly err: string;
  readonly code: Promise<number>;
}

export function begin(argv: readonly string[], { env = {}, stdin = '', columns, width }: CommandOptions = {}): Running {
  const written = { out: '', err: '' };
  const terminal: Terminal = {
    env,
    stdin: Readable.from(stdin.length > 0 ? [Buffer.from(stdin)] : []),
    stdout: {
      write: (text) => (written.out += textOf(text)),
      ...(width === undefined ? {} : { isTTY: true, columns: width }),
    },
    stderr: {
      write: (text) => (written.err += textOf(text)),
      ...(columns === undefined ? {} : { isTTY: true, columns }),
    },
  };
  const code = runCli(argv, terminal);
  return Object.assign(written, { code });
}

/** Bytes as one character each. */
function textOf(written: string | Uint8Array): string {
  return typeof written === 'string' ? written : Buffer.from(written).toString('latin1');
}

/** Runs one command to its end. */
export async function run(
  argv: readonly string[],
  options: CommandOptions = {},
): Promise<{ code: number; out: string; err: string }> {
  const running = begin(argv, options);
  const code = await running.code;
  return { code, out: running.out, err: running.err };
}
