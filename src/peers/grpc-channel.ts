import { constants } from 'node:http2';
import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import { systemClock } from '../common/clock.js';
import { unmapAddress } from '../config/address.js';
import { certifiedNodeId } from './certificate.js';
import type { Channel, ChannelEvents } from './channel.js';

const LINGER_MS = 1_000;

type Stream = ClientDuplexStream<Uint8Array, Uint8Array> | ServerDuplexStream<Uint8Array, Uint8Array>;

/** A gRPC stream, of either side, as a Channel. */
export class GrpcChannel implements Channel {
  #closed = false;
  #remoteHost = 'unknown';
  #provenNodeId: string | undefined;

  /** @param release called once the stream is gone, to free what belongs to it (the dialling side's client). */
  constructor(
    private readonly stream: Stream,
    private readonly release: () => void = () => {},
  ) {
    // An 'error' without a listener ends the process; one may come before the session opens the channel.
    stream.on('error', () => {});
    readOneByOne(stream);
    this.#remoteHost = this.remoteHost;
  }

  /** The dialled host until there is a connection; its IP address from then on, also after the end. */
  get remoteHost(): string {
    const peer = this.stream.getPeer();
    if (peer !== 'unknown') this.#remoteHost = hostOfGrpcPeer(peer);
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

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  close(): void {
    if (this.stream.destroyed) return;
    this.stream.end();
    // Otherwise a peer that does not read would keep the half-closed stream and our shutdown waiting for ever.
    systemClock.after(LINGER_MS, () => {
      if ('cancel' in this.stream) this.stream.cancel();
      else abort(this.stream);
      this.stream.destroy();
    });
  }
}

/**
 * A stream that is paused would otherwise read on until it holds sixteen messages, of up to 8 MiB each. Node has no way to
 * say so after a stream was made, and grpc-js makes it.
 */
function readOneByOne(stream: Stream): void {
  const { _readableState: state } = stream as unknown as { _readableState?: { highWaterMark: number } };
  if (state !== undefined) state.highWaterMark = 1;
}

/** grpc-js gives a server no way to cut off a client that does not read, so the HTTP/2 stream underneath is closed. */
function abort(stream: ServerDuplexStream<Uint8Array, Uint8Array>): void {
  const { call } = stream as unknown as { call?: { stream?: { close?(code: number): void } } };
  call?.stream?.close?.(constants.NGHTTP2_CANCEL);
}

/** The host in a getPeer() text: "10.0.0.1:9", "::1:9" or "::ffff:10.0.0.1:9" from a server, "[::1]:9" from a client. */
function hostOfGrpcPeer(peer: string): string {
  const host = peer.replace(/^dns:/, '').replace(/:\d+$/, '');
  return unmapAddress(host.replace(/^\[(.*)\]$/, '$1'));
}
