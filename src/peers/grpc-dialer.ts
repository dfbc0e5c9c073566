import { credentials, type ClientDuplexStream } from '@grpc/grpc-js';
import type { Channel, Dialer } from './channel.js';
import { GrpcChannel } from './grpc-channel.js';
import { PeerClient } from './grpc-definition.js';
import { LIMITS } from './wire.js';

/** Options of both ends: message limits, and a dead connection is noticed even while nobody speaks. */
export const GRPC_OPTIONS = {
  'grpc.max_receive_message_length': LIMITS.messageBytes,
  'grpc.max_send_message_length': LIMITS.messageBytes,
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
} as const;

/** The dialling end of gRPC sessions: one client, and so one TCP connection, per dial. */
export class GrpcDialer implements Dialer {
  dial(address: string): Channel {
    // Pooled subchannels would carry one dial's back-off and stale DNS answer over to the next.
    const client = new PeerClient(address, credentials.createInsecure(), {
      ...GRPC_OPTIONS,
      'grpc.use_local_subchannel_pool': 1,
    });
    const stream = (client as unknown as { connect(): ClientDuplexStream<Uint8Array, Uint8Array> }).connect();
    return new GrpcChannel(stream, () => client.close());
  }
}
