import { hashToBytes } from '../consensus/codec.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { resolveAdvertised } from './address.js';
import type { BodyOf } from './messages.js';
import type { PeerIdentity } from './peer.js';
import { LIMITS, decodeHash, decodeTip, encodeTip, type PeerTip } from './wire.js';

export const PROTOCOL_VERSION = 1;
const MAX_USER_AGENT_CHARS = 100;

/** Who we are, for our Hello. */
export interface SelfIdentity {
  readonly nodeId: string;
  /** Random, drawn at start: tells a dial to ourselves, and two nodes with one id apart. */
  readonly instanceNonce: bigint;
  /** "host:port"; ":port" where the peer's view of our host is to be used. */
  readonly advertisedAddress: string;
  readonly userAgent: string;
}

export function createHello(self: SelfIdentity, genesis: BlockNode, tip: BlockNode): BodyOf<'hello'> {
  return {
    protocolVersion: PROTOCOL_VERSION,
    genesisHash: hashToBytes(genesis.hash),
    nodeId: self.nodeId,
    instanceNonce: self.instanceNonce,
    advertisedAddress: self.advertisedAddress,
    tip: encodeTip(tip),
    userAgent: self.userAgent,
  };
}

/** Why a Hello was not taken; sent as the Goodbye's reason, so that the other side's log says it too. */
export type HelloRefusal = {
  readonly kind: 'protocol' | 'network' | 'self' | 'identity' | 'node-id-taken' | 'certificate';
  readonly reason: string;
};

export type HelloOutcome =
  | { readonly kind: 'accepted'; readonly identity: PeerIdentity; readonly tip: PeerTip }
  | HelloRefusal;

/**
 * Judges a peer's Hello: same protocol, same genesis (so the same rules), a node id that can be shown, and not us.
 * The version is looked at first, for the shape of all else may differ with it.
 * @param remoteHost where the peer can be reached if it names only a port.
 * @throws WireError `malformed-message` when a field has the wrong size.
 */
export function readHello(
  hello: BodyOf<'hello'>,
  self: SelfIdentity,
  genesis: BlockNode,
  remoteHost: string,
): HelloOutcome {
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
  if (hello.instanceNonce === self.instanceNonce) return { kind: 'self', reason: 'this is the same node' };
  if (!/^[A-Za-z0-9._-]+$/.test(hello.nodeId) || hello.nodeId.length > LIMITS.nodeIdBytes) {
    return { kind: 'identity', reason: 'a node id is 1 to 64 characters of A-Z a-z 0-9 . _ -' };
  }
  if (hello.nodeId === self.nodeId) {
    return { kind: 'node-id-taken', reason: `node id ${self.nodeId} is used by two nodes; give each its own` };
  }
  const identity: PeerIdentity = {
    nodeId: hello.nodeId,
    instanceNonce: hello.instanceNonce,
    userAgent: cut(hello.userAgent, MAX_USER_AGENT_CHARS),
    address: resolveAdvertised(hello.advertisedAddress, remoteHost),
  };
  return { kind: 'accepted', identity, tip };
}

/**
 * Under mTLS a Hello counts only for the node that the certificate names.
 * @param proven the node id in the peer's certificate; undefined when there is none, or it names no node.
 * @returns undefined when it is the same.
 */
export function certificateMismatch(nodeId: string, proven: string | undefined): HelloRefusal | undefined {
  if (nodeId === proven) return undefined;
  const whose = proven === undefined ? 'names no node' : `is that of node ${proven}`;
  return { kind: 'certificate', reason: `says it is node ${nodeId}, but its certificate ${whose}` };
}

/** A slice would hold on to the whole text, megabytes maybe, as long as the session lasts. */
function cut(text: string, chars: number): string {
  return Buffer.from(text.slice(0, chars), 'utf16le').toString('utf16le');
}
