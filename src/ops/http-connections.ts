import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { arrivals } from '../common/arrivals.js';
import { HttpProblem } from '../common/http-problem.js';
import { OpenConnections, type ConnectionLimits } from '../common/open-connections.js';
import { clientOf } from '../config/client-address.js';
import { PROBLEM_MEDIA_TYPE, createProblem, type Problem } from './problem.js';

/** A client that neither sends the rest of a request nor reads its answer for so long is given up. */
const STALLED_MS = 30_000;
/** Requests that a client may send on one connection before it has the answer to the first. */
const MAX_PIPELINED = 16;
/** Requests under way may take this long to end when the node stops. */
const GRACE_MS = 2_000;
const GRACE_POLL_MS = 20;
const RETRY_AFTER_SECONDS = 5;
/** A client may take this long to read the answer with which its connection ends. */
const LINGER_MS = 1_000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** The connections of a node's HTTP servers: their limits, and their end. */
export class HttpConnections {
  readonly open: OpenConnections;
  /** The last request of each connection. */
  readonly #exchanges = new WeakMap<Socket, Exchange>();
  readonly #watched = new WeakSet<Server>();
  #isStopping = false;

  constructor(limits: ConnectionLimits) {
    this.open = new OpenConnections({ limits, clientOf, isStalled: (socket) => this.#isStalled(socket), refuse });
  }

  /** Watches the servers of this instance, and ends their connections when it closes. */
  watch(instance: FastifyInstance): void {
    this.#watchServer(instance.server);
    instance.addHook('onListen', (done) => {
      for (const server of otherServers(instance)) this.#watchServer(server);
      done();
    });
    instance.addHook('onRequest', (_request, reply, done) => {
      if (!this.#isStopping) return done();
      void reply.header('Connection', 'close');
      const headers = { 'Retry-After': String(RETRY_AFTER_SECONDS) };
      done(new HttpProblem(503, 'shutting-down', 'the node is shutting down', headers));
    });
    instance.addHook('preClose', () => this.#drain());
  }

  /** From now on each request is answered 503, and its connection closed. */
  refuseRequests(): void {
    this.#isStopping = true;
    this.open.closeIdle();
  }

  /** Gives the requests under way a short while to end, then closes all connections. */
  async #drain(): Promise<void> {
    this.refuseRequests();
    const endMs = performance.now() + GRACE_MS;
    while (this.open.isBusy && performance.now() < endMs) await sleep(GRACE_POLL_MS);
    this.open.closeAll();
  }

  #watchServer(server: Server): void {
    if (this.#watched.has(server)) return;
    this.#watched.add(server);
    server.on('connection', (socket) => {
      arrivals.note();
      this.open.add(socket);
    });
    this.#limitPipelining(server);
    server.on('request', (request, response) => this.#watchExchange({ request, response }));
    // A long answer keeps a quiet connection alive as long as the node works on it, so this is no time limit for answers.
    server.setTimeout(STALLED_MS, (socket: Socket) => {
      const exchange = this.#exchanges.get(socket);
      const isUnderWay = exchange !== undefined && !exchange.response.closed;
      if (!isUnderWay || this.#isStalled(socket)) socket.destroy();
    });
  }

  /**
   * Ends connections with too many requests under way. It stands in front of Fastify's listener, because thousands of requests
   * fit into what is read from a socket at once, and each that gets as far as a route costs ten times as much.
   */
  #limitPipelining(server: Server): void {
    const [answer] = server.listeners('request') as ((...exchange: [IncomingMessage, ServerResponse]) => void)[];
    if (answer === undefined) throw new Error('the HTTP server has no listener for requests yet');
    server.off('request', answer);
    server.on('request', (request, response) => {
      const { socket } = request;
      if (socket.destroyed) return;
      if (this.open.busyOn(socket) >= MAX_PIPELINED) socket.destroy();
      else answer(request, response);
    });
  }

  #watchExchange(exchange: Exchange): void {
    const { socket } = exchange.request;
    if (socket.destroyed) return;
    this.#exchanges.set(socket, exchange);
    this.open.begin(socket);
    exchange.response.once('close', () => {
      this.open.end(socket);
      if (this.#isStopping && !socket.writableEnded) socket.destroySoon();
    });
  }

  #isStalled(socket: Socket): boolean {
    const exchange = this.#exchanges.get(socket);
    return exchange !== undefined && (!exchange.request.complete || socket.writableLength > 0);
  }
}

/** Fastify listens on each address of "localhost" with a server of its own, and shows only the first of them. */
function otherServers(instance: FastifyInstance): readonly Server[] {
  const key = Object.getOwnPropertySymbols(instance).find(
    ({ description }) => description === 'fastify.serverBindings',
  );
  return key === undefined ? [] : (instance as unknown as Record<symbol, Server[]>)[key]!;
}

function refuse(socket: Socket): void {
  const detail = `this node has no room for another connection; try again in ${RETRY_AFTER_SECONDS} s`;
  answerAndClose(socket, createProblem({ status: 503, code: 'too-many-connections', detail, instance: '' }), {
    'Retry-After': String(RETRY_AFTER_SECONDS),
  });
}

/** Answers where there is no request, and closes the connection, whether or not the client reads the answer. */
export function answerAndClose(socket: Socket, problem: Problem, headers: Readonly<Record<string, string>> = {}): void {
  const body = JSON.stringify(problem);
  const all = {
    Connection: 'close',
    ...headers,
    'Content-Type': PROBLEM_MEDIA_TYPE,
    'Content-Length': String(Buffer.byteLength(body)),
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${head.join('')}\r\n${body}`);
  // Closing at once may make the client's system throw the answer away, if there is something of the client to read yet.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
