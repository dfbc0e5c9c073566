import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { HttpProblem } from '../common/http-problem.js';
import type { LogLimiter } from '../common/log-limiter.js';
import { clientOf } from '../config/client-address.js';
import type { NodeConfig } from '../config/node-config.js';
import { formatAddress } from '../config/address.js';
import type { RpcCredentials } from '../rpc/credentials.js';
import { FAULT_MESSAGE, refusal, type RpcAnswer, type RpcDispatcher } from '../rpc/rpc-dispatcher.js';
import { RPC_CODES } from '../rpc/rpc-error.js';
import { parseJson } from './body-parser.js';
import { RPC_CONNECTIONS } from './descriptors.js';
import { HttpConnections } from './http-connections.js';
import { RequestTurns, takeTurns } from './request-turns.js';

const RPC_CONNECTIONS_PER_ADDRESS = 25;
/** A block of 1 MiB as hex digits, and what stands around it. */
const BODY_LIMIT_BYTES = 3 * 1024 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;
const CONNECTIONS_CHECK_MS = 2_000;
/** As Bitcoin Core, so that passwords cannot be tried out quickly. */
const REFUSAL_DELAY_MS = 250;
/** Exactly so: some clients refuse a charset behind it. */
const JSON_TYPE = 'application/json';

export interface RpcServerParts {
  readonly config: NodeConfig;
  readonly dispatcher: RpcDispatcher;
  readonly openCredentials: () => RpcCredentials;
  readonly log: LogLimiter;
  /** An answer failed for a reason that is this node's own. */
  readonly onFault: (error: Error) => void;
}

/** The HTTP server for Bitcoin's JSON-RPC: `POST /` with Basic authentication, and nothing else. */
export class RpcServer {
  readonly connections = new HttpConnections({ total: RPC_CONNECTIONS, perAddress: RPC_CONNECTIONS_PER_ADDRESS });
  readonly #server: FastifyInstance;
  #credentials: RpcCredentials | undefined;

  constructor(private readonly parts: RpcServerParts) {
    this.#server = fastify({
      bodyLimit: BODY_LIMIT_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      http: { headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: CONNECTIONS_CHECK_MS },
      return503OnClosing: false,
    });
    this.connections.watch(this.#server);
    const turns = new RequestTurns();
    takeTurns(this.#server, turns);
    this.#server.addHook('onRequest', async (request, reply) => {
      // Whatever a client says of it, the body is JSON.
      delete request.raw.headers['content-type'];
      if (this.#credentials?.areIn(request.headers.authorization) === true) return;
      await sleep(REFUSAL_DELAY_MS);
      const host = clientOf(request.ip);
      const line = { level: 'warn', kind: 'wrong credentials for JSON-RPC', host } as const;
      parts.log.write(line, {}, `Wrong credentials for JSON-RPC from ${host ?? 'this machine'}`);
      await reply.status(401).header('WWW-Authenticate', 'Basic realm="jsonrpc"').send();
    });
    this.#server.removeAllContentTypeParsers();
    this.#server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => {
      turns.take(() => done(null, body));
    });
    this.#server.post('/', async (request, reply) => this.#answer(request.body as Buffer | undefined, reply));
    this.#server.setNotFoundHandler(async (request, reply) => {
      const isRoot = request.url === '/';
      if (isRoot) void reply.header('Allow', 'POST');
      await reply
        .status(isRoot ? 405 : 404)
        .type('text/plain')
        .send('JSON-RPC is answered at POST /\n');
    });
    this.#server.setErrorHandler(async (error: Error & { statusCode?: number }, _request, reply) => {
      // Fastify and this server give their refusals a status; whatever has none is no fault of the caller.
      if (error.statusCode === undefined && !(error instanceof HttpProblem)) {
        parts.onFault(error);
        return send(reply, refusal(RPC_CODES.internal, FAULT_MESSAGE));
      }
      const isStopping = error instanceof HttpProblem && error.code === 'shutting-down';
      const { status, body } = refusal(isStopping ? RPC_CODES.shuttingDown : RPC_CODES.parse, error.message);
      await send(reply, { status: isStopping ? 503 : (error.statusCode ?? status), body });
    });
  }

  /** Opens the port, and writes the cookie file if there is one. @returns where it listens, as host:port. */
  async listen(): Promise<string> {
    const { host, port = 0 } = this.parts.config.rpc;
    await this.#server.listen({ host, port });
    this.#credentials = this.parts.openCredentials();
    return formatAddress({ host, port: (this.#server.server.address() as AddressInfo).port });
  }

  /** Refuses calls from now on, gives those under way a short while, and closes all connections. */
  async close(): Promise<void> {
    this.parts.dispatcher.stop();
    this.#credentials?.close();
    await this.#server.close();
  }

  async #answer(body: Buffer | undefined, reply: FastifyReply): Promise<void> {
    let request: unknown;
    try {
      request = parseJson(body ?? Buffer.alloc(0));
    } catch (error) {
      if (!(error instanceof HttpProblem)) throw error;
      return send(reply, refusal(RPC_CODES.parse, error.status === 413 ? error.detail : 'Parse error'));
    }
    if (request === undefined) return send(reply, refusal(RPC_CODES.parse, 'Parse error'));
    await send(reply, await this.parts.dispatcher.answer(request));
  }
}

async function send(reply: FastifyReply, { status, body }: RpcAnswer): Promise<void> {
  void reply.status(status);
  if (body === undefined) await reply.send();
  // As bytes, because Fastify would add a charset to a text.
  else await reply.header('Content-Type', JSON_TYPE).send(Buffer.from(body));
}
