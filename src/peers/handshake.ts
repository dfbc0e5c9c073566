import { hashToBytes } from '../consensus/codec.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { isNodeId } from '../config/node-id.js';
import { resolveAdvertised } from './address.js';
import { FEATURE_NAMES, readFeatures } from './features.js';
import { WireError, type BodyOf } from './messages.js';
import { PUBLIC_KEY_BYTES, keyIdOf, type NodeKey } from './node-key.js';
import type { PeerIdentity } from './peer.js';
import { decodeHash, decodeTip, encodeTip, type PeerTip } from './wire.js';

/** Raised only by an incompatible change (see peer.proto); whatever nodes can ignore is a feature or a new field. */
export const PROTOCOL_VERSION = 1;
const MAX_USER_AGENT_CHARS = 100;
/** Of the nonce that is new for each session. */
export const NONCE_BYTES = 32;

/** Who we are, for our Hello. */
export interface SelfIdentity {
  readonly nodeId: string;
  readonly key: NodeKey;
  /** Random, new at each start: tells a dial to ourselves from one to another process with our key. */
  readonly instanceNonce: bigint;
  /** "host:port", or ":port" if the peer shall use the host that it sees. */
  readonly advertisedAddress: string;
  readonly userAgent: string;
}

/** @param nonce 32 random bytes, new for each session. */
export function createHello(self: SelfIdentity, nonce: Buffer, genesis: BlockNode, tip: BlockNode): BodyOf<'hello'> {
  return {
    protocolVersion: PROTOCOL_VERSION,
    genesisHash: hashToBytes(genesis.hash),
    nodeId: self.nodeId,
    instanceNonce: self.instanceNonce,
    advertisedAddress: self.advertisedAddress,
    tip: encodeTip(tip),
    userAgent: self.userAgent,
    features: [...FEATURE_NAMES],
    publicKey: self.key.publicKey,
    nonce,
  };
}

/** Why a Hello was not accepted; sent as the Goodbye's reason, so that it also stands in the other side's log. */
export type HelloRefusal = {
  readonly kind: 'protocol' | 'network' | 'no-key' | 'identity' | 'certificate';
  readonly reason: string;
};

export type HelloOutcome =
  | { readonly kind: 'accepted'; readonly identity: PeerIdentity; readonly tip: PeerTip }
  | HelloRefusal;

/**
 * Judges a peer's Hello: same protocol, same genesis (so the same rules), a key and a valid node id. The version comes
 * first, because everything else may differ with it. What it says of its key still has to be proved.
 * @param remoteHost where the peer can be reached if it names only a port.
 * @throws WireError `malformed-message` when a field has the wrong size.
 */
export function readHello(hello: BodyOf<'hello'>, genesis: BlockNode, remoteHost: string): HelloOutcome {
  if (hello.protocolVersion !== PROTOCOL_VERSION) {
    return { kind: 'protocol', reason: `protocol version ${hello.protocolVersion}, expected ${PROTOCOL_VERSION}` };
  }
  const genesisHash = decodeHash(hello.genesisHash);
  const tip = decodeTip(hello.tip);
  if (genesisHash !== genesis.hash) {
    return {
      kind: 'network',
      reason: `other network: genesis ${genesisHash}, expected ${genesis.hash} (same network name and rules?)`,
    };
  }
  if (hello.publicKey.length === 0) {
    return { kind: 'no-key', reason: 'the Hello names no public key; each node has to have one' };
  }
  if (hello.publicKey.length !== PUBLIC_KEY_BYTES || hello.nonce.length !== NONCE_BYTES) {
    throw new WireError('malformed-message', 'the public key and the nonce of a Hello have 32 bytes each');
  }
  if (!isNodeId(hello.nodeId)) {
    return { kind: 'identity', reason: 'a node id is 1 to 64 characters of A-Z a-z 0-9 . _ -' };
  }
  const identity: PeerIdentity = {
    key: keyIdOf(hello.publicKey),
    nodeId: hello.nodeId,
    instanceNonce: hello.instanceNonce,
    userAgent: cut(hello.userAgent, MAX_USER_AGENT_CHARS),
    address: resolveAdvertised(hello.advertisedAddress, remoteHost),
    features: readFeatures(hello.features),
  };
  return { kind: 'accepted', identity, tip };
}

/**
 * Under mTLS a Hello counts only for the node that the certificate names.
 * @param proven the node id in the peer's certificate; undefined if there is none, or it names no node.
 * @returns undefined if both are the same.
 */
export function certificateMismatch(nodeId: string, proven: string | undefined): HelloRefusal | undefined {
  if (nodeId === proven) return undefined;
  const whose = proven === undefined ? 'names no node' : `is that of node ${proven}`;
  return { kind: 'certificate', reason: `says it is node ${nodeId}, but its certificate ${whose}` };
}

/** Copies, because a slice would keep the whole text, possibly megabytes, in memory as long as the session lasts. */
function cut(text: string, chars: number): string {
  return Buffer.from(text.slice(0, chars), 'utf16le').toString('utf16le');
}
