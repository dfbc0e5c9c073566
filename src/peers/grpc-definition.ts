import { makeGenericClientConstructor, type ServiceDefinition } from '@grpc/grpc-js';
import { PeerServiceService } from './generated/minichain/v1/peer.js';

export const PEER_SERVICE = 'minichain.v1.PeerService';

const asBytes = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const asIs = (bytes: Buffer): Uint8Array => bytes;

/**
 * PeerService with the message codec left to the session: it encodes with ts-proto's PeerMessage there, so that sizes
 * are known for limits and metrics, and a message that cannot be read is a peer's misbehaviour, not a stream fault.
 */
export const PEER_SERVICE_DEFINITION = {
  connect: {
    ...PeerServiceService.connect,
    requestSerialize: asBytes,
    requestDeserialize: asIs,
    responseSerialize: asBytes,
    responseDeserialize: asIs,
  },
} satisfies ServiceDefinition;

export const PeerClient = makeGenericClientConstructor(PEER_SERVICE_DEFINITION, PEER_SERVICE);
