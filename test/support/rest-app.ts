import { connect } from 'node:net';
import pino from 'pino';
import { parseConfig } from '../../src/config/load-config.js';
import type { Operation } from '../../src/common/operation.js';
import { createNode, type Node, type NodeOverrides } from '../../src/node.js';
import type { Dialer } from '../../src/peers/channel.js';
import { HealthService } from '../../src/ops/health.service.js';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body, where it is JSON; what is in it is for the test to say. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

const deafDialer: Dialer = {
  dial: () => ({
    remoteHost: 'nowhere',
    open: (events) => queueMicrotask(() => events.closed('nobody is there')),
    pause: () => {},
    resume: () => {},
    send: () => false,
    close: () => {},
  }),
};

/** A node without peers, whose REST really listens on a free port of loopback, and a client for it. */
export class RestApp {
  readonly port: number;

  constructor(
    readonly node: Node,
    /** What each route declares, by "GET /chain" and so on. HEAD and /docs are left out. */
    readonly operations: ReadonlyMap<string, Operation | undefined>,
    /** Lines that were logged, as objects. */
    readonly logged: readonly Record<string, unknown>[],
  ) {
    this.port = (node.app.getHttpServer().address() as { port: number }).port;
  }

  /** "GET /chain" and so on: what Fastify routes, HEAD and /docs left out. */
  get routes(): readonly string[] {
    return [...this.operations.keys()];
  }

  get health(): HealthService {
    return this.node.app.get(HealthService);
  }

  /** An event stream has no end: of its answer there is only the head. */
  async fetch(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`, init);
    const type = response.headers.get('content-type') ?? '';
    const isStream = type === 'text/event-stream';
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    const isJson = type.includes('json') && text !== '';
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined };
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.fetch(path, { headers });
  }

  /** Posts JSON as `curl -d` does: typed as a form. */
  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const init = body === undefined ? { headers } : { headers: { ...type, ...headers }, body: JSON.stringify(body) };
    return this.fetch(path, { method: 'POST', ...init });
  }

  /** Writes to a socket of its own and reads until the server closes it. */
  raw(...parts: readonly (string | Uint8Array)[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', () => {
        for (const part of parts) socket.write(part);
      });
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('error', reject);
      socket.on('close', () => resolve(received));
    });
  }

  /** As raw, but hangs up its own half after the last byte, so that no request is waited for. */
  rawThenEnd(bytes: Uint8Array): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true }, () => socket.end(bytes));
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString('latin1')));
      socket.on('end', () => socket.destroy());
      // A server may cut off what it does not want to read; what it said before that counts.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => resolve(received));
    });
  }

  close(): Promise<void> {
    return this.node.close();
  }
}

/** @param env settings such as MINICHAIN_HTTP_WRITE_TOKEN, over ones that suit a test. */
export async function startRestApp(
  env: Record<string, string> = {},
  overrides: Pick<NodeOverrides, 'clock' | 'cluster'> = {},
): Promise<RestApp> {
  const config = parseConfig({
    env: {
      MINICHAIN_NODE_NODE_ID: 'rest',
      MINICHAIN_NODE_DATA_DIR: ':memory:',
      MINICHAIN_NODE_HTTP_HOST: '127.0.0.1',
      MINICHAIN_NODE_HTTP_PORT: '0',
      MINICHAIN_BLOCKCHAIN_DIFFICULTY: '0',
      MINICHAIN_BLOCKCHAIN_AUTO_MINE: 'false',
      ...env,
    },
  });
  const logged: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (line) => void logged.push(JSON.parse(line)) });
  const inline = { ...config, blockchain: { ...config.blockchain, threads: 0 } };
  const operations = new Map<string, Operation | undefined>();
  const node = await createNode(inline, { logger, dialer: deafDialer, grpcServer: false, ...overrides });
  node.app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', ({ method, url, config }) => {
      if (method !== 'HEAD' && !url.startsWith('/docs')) operations.set(`${String(method)} ${url}`, config?.operation);
    });
  await node.listen();
  return new RestApp(node, operations, logged);
}
