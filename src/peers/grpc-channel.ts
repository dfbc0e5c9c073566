import { constants } from 'node:http2';
import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import { systemClock } from '../common/clock.js';
import { certifiedNodeId } from './certificate.js';
import type { Channel, ChannelEvents } from './channel.js';

const LINGER_MS = 1_000;

type Stream = ClientDuplexStream<Uint8Array, Uint8Array> | ServerDuplexStream<Uint8Array, Uint8Array>;

/** A gRPC stream, of either side, as a Channel. */
export class GrpcChannel implements Channel {
  #closed = false;
  #remoteHost = 'unknown';
  #provenNodeId: string | undefined;

  /** @param release frees what belongs to the stream (the dialling side's client) once it is gone. */
  constructor(
    private readonly stream: Stream,
    private readonly release: () => void = () => {},
  ) {
    // An 'error' without a listener ends the process; one may come before the session opens the channel.
    stream.on('error', () => {});
    this.#remoteHost = this.remoteHost;
  }

  /** What was dialled, until there is a connection; its IP address from then on, also when it is gone. */
  get remoteHost(): string {
    const peer = this.stream.getPeer();
    if (peer !== 'unknown') this.#remoteHost = hostOf(peer);
    return this.#remoteHost;
  }

  get provenNodeId(): string | undefined {
    return (this.#provenNodeId ??= certifiedNodeId(this.stream.getAuthContext()?.sslPeerCertificate));
  }

  open(events: ChannelEvents): void {
    const closed = (reason: string): void => {
      if (this.#closed) return;
      this.#closed = true;
      this.release();
      events.closed(reason);
    };
    this.stream.on('data', (bytes: Uint8Array) => {
      if (!this.#closed) events.message(bytes);
    });
    this.stream.on('drain', () => {
      if (!this.#closed) events.drained();
    });
    this.stream.on('error', (error: Error & { details?: string }) => closed(error.details ?? error.message));
    this.stream.on('cancelled', () => closed('cancelled by the peer'));
    this.stream.on('end', () => {
      this.stream.end();
      closed('ended by the peer');
    });
    this.stream.on('close', () => closed('stream closed'));
  }

  send(bytes: Uint8Array): boolean {
    return this.#closed || this.stream.destroyed ? true : this.stream.write(bytes);
  }

  close(): void {
    if (this.stream.destroyed) return;
    this.stream.end();
    // A peer that does not read would keep a half-closed stream, what waits in it, and our shutdown, for ever.
    systemClock.after(LINGER_MS, () => {
      if ('cancel' in this.stream) this.stream.cancel();
      else abort(this.stream);
      this.stream.destroy();
    });
  }
}

/** grpc-js gives a server no way to cut off a client that does not read; the HTTP/2 stream underneath can be. */
function abort(stream: ServerDuplexStream<Uint8Array, Uint8Array>): void {
  const { call } = stream as unknown as { call?: { stream?: { close?(code: number): void } } };
  call?.stream?.close?.(constants.NGHTTP2_CANCEL);
}

/** The host of what grpc-js calls a peer: "10.0.0.1:9", "::1:9" and "::ffff:10.0.0.1:9" of a server, "[::1]:9" of a client. */
function hostOf(peer: string): string {
  const host = peer.replace(/^dns:/, '').replace(/:\d+$/, '');
  return host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=\d+\.)/, '');
}
