import { createHash } from 'node:crypto';
import type { SelfIdentity } from '../../src/peers/handshake.js';
import { NodeKey } from '../../src/peers/node-key.js';

/** The key of a node that a test plays: the same for the same name. */
export function keyOf(name: string): NodeKey {
  return NodeKey.fromSeed(createHash('sha256').update(name).digest());
}

/** Who such a node is. */
export function identityOf(name: string, change: Partial<SelfIdentity> = {}): SelfIdentity {
  const instanceNonce = createHash('sha256').update(`${name} process`).digest().readBigUInt64LE();
  return { nodeId: name, key: keyOf(name), instanceNonce, advertisedAddress: '', userAgent: 'test', ...change };
}
