import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';
import { every, type Clock, type Timer } from '../common/clock.js';
import { OpenConnections } from '../common/open-connections.js';
import { RenewalLimit } from '../common/renewal-limit.js';
import { clientOf } from '../config/client-address.js';
import { PEER_SERVICE } from './grpc-definition.js';

/** A connection without a stream serves nobody: nodes and probes open one at once. */
const IDLE_MS = 10_000;
const SWEEP_MS = 1_000;
/** Beside those of peers: for newcomers and probes. */
export const MORE_THAN_PEERS = 128;
/** Of one machine that is not this one: some nodes behind one router. */
const MAX_PER_ADDRESS = 64;
/** A node has one stream with another one, a probe has one for a moment. */
export const MAX_STREAMS_PER_CONNECTION = 8;

/**
 * The TCP connections of a gRPC server, which grpc-js neither counts nor limits: a TLS handshake that never ends and an
 * HTTP/2 connection without a stream never reach it.
 */
export class GrpcConnections {
  readonly open: OpenConnections;
  /** By the client's address and port: HTTP/2 and TLS do not show the socket below them. */
  readonly #sockets = new Map<string, Socket>();
  /** How many streams with peers each connection has. */
  readonly #peerStreams = new WeakMap<Socket, number>();
  readonly #renewals = new RenewalLimit();
  #sweep: Timer | undefined;

  constructor(
    maxPeers: number,
    private readonly clock: Clock,
  ) {
    const limits = { total: maxPeers + MORE_THAN_PEERS, perAddress: MAX_PER_ADDRESS };
    // Whoever watches the health of this node, or never ends a question about it, keeps no node out.
    const isStalled = (socket: Socket): boolean => (this.#peerStreams.get(socket) ?? 0) === 0;
    const renewed = (client: string, address: string): void => this.#renewals.renewed(client, address);
    this.open = new OpenConnections({ limits, clientOf, isStalled, renewed });
  }

  /** `server` must be listening already. */
  watch(server: Server): void {
    for (const http2Server of http2ServersOf(server)) {
      this.#renewals.watch(http2Server);
      http2Server.prependListener('connection', (socket: Socket) => {
        const key = keyOf(socket);
        this.#sockets.set(key, socket);
        socket.once('close', () => this.#sockets.delete(key));
        this.open.add(socket);
      });
      http2Server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
        this.#watchStream(stream, headers[':path']?.startsWith(`/${PEER_SERVICE}/`) === true),
      );
    }
    this.#sweep = every(this.clock, SWEEP_MS, () => this.open.closeIdle(IDLE_MS));
  }

  /** Closes all connections, in whatever state, and every newcomer. */
  close(): void {
    this.#sweep?.cancel();
    this.open.closeAll();
  }

  #watchStream(stream: ServerHttp2Stream, isOfPeer: boolean): void {
    const socket = this.#sockets.get(keyOf(stream.session!.socket));
    if (socket === undefined) return;
    const count = (change: number): void => {
      if (isOfPeer) this.#peerStreams.set(socket, (this.#peerStreams.get(socket) ?? 0) + change);
    };
    count(1);
    this.open.begin(socket);
    stream.once('close', () => {
      count(-1);
      this.open.end(socket);
    });
  }
}

/** The servers below a gRPC server, one for each address; grpc-js hides them. */
export function http2ServersOf(server: Server): Iterable<Http2Server> {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2Server, unknown> };
  return http2Servers?.keys() ?? [];
}

function keyOf({ remoteAddress, remotePort }: Socket | ServerHttp2Session['socket']): string {
  return `${remoteAddress} ${remotePort}`;
}
