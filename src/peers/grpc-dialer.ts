import { lookup } from 'node:dns/promises';
import { credentials, type ChannelCredentials, type ClientDuplexStream } from '@grpc/grpc-js';
import type { TlsSection } from '../config/node-config.js';
import type { Channel, Dialer } from './channel.js';
import { GrpcChannel } from './grpc-channel.js';
import { PeerClient } from './grpc-definition.js';
import { TLS_TARGET_NAME, clientCredentials } from './grpc-tls.js';
import { tlsReason, type TlsRefusals } from './tls-refusals.js';
import { LIMITS } from './wire.js';

/** Options of both ends: message limits, and keepalive, so that a dead connection is noticed even when it is idle. */
export const GRPC_OPTIONS = {
  'grpc.max_receive_message_length': LIMITS.messageBytes,
  'grpc.max_send_message_length': LIMITS.messageBytes,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
} as const;

/** mTLS of the dialling end: our certificate, and where to report dials that fail because of TLS. */
export interface DialerTls {
  readonly files: TlsSection;
  readonly refusals: TlsRefusals;
}

/** The dialling end of gRPC sessions: one client, and so one TCP connection, per dial. */
export class GrpcDialer implements Dialer {
  readonly #credentials: ChannelCredentials;

  /** @param tls undefined = plain connections. */
  constructor(private readonly tls?: DialerTls) {
    this.#credentials = tls === undefined ? credentials.createInsecure() : clientCredentials(tls.files);
  }

  dial(address: string): Channel {
    // Pooled subchannels would reuse the back-off and the old DNS answer of an earlier dial.
    const client = new PeerClient(address, this.#credentials, {
      ...GRPC_OPTIONS,
      'grpc.use_local_subchannel_pool': 1,
      // grpc-js would otherwise tunnel through the http_proxy of the environment. That proxy is for the web.
      'grpc.enable_http_proxy': 0,
      ...(this.tls === undefined ? {} : { 'grpc.ssl_target_name_override': TLS_TARGET_NAME }),
    });
    const stream = (client as unknown as { connect(): ClientDuplexStream<Uint8Array, Uint8Array> }).connect();
    stream.on('error', (error: Error & { details?: string }) => this.#tellRefusal(address, error.details ?? ''));
    return new GrpcChannel(stream, () => client.close());
  }

  /** As the system does it for any program (/etc/hosts, then DNS), without a cache. */
  async resolve(host: string): Promise<readonly string[]> {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  }

  #tellRefusal(address: string, details: string): void {
    const cause = /Last error: (?:Error: )?([^]*?)(?: \([^()]*Z\))?\. Resolution note/.exec(details)?.[1]?.trim();
    const reason = cause === undefined ? undefined : tlsReason(cause);
    if (reason !== undefined) this.tls?.refusals.tell(address, reason, cause!);
  }
}
