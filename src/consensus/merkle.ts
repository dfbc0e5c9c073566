import { ZERO_HASH, hashFromBytes, hashToBytes, type Hash } from './codec.js';
import { sha256d } from './hash.js';

export interface MerkleResult {
  readonly root: Hash;
  /**
   * True when two sibling nodes are equal: such a list has the same root as a shorter one (CVE-2012-2459), so a block
   * with it must be refused without marking its header invalid.
   */
  readonly mutated: boolean;
}

/**
 * Bitcoin's Merkle root over transaction ids: pairs hashed with SHA-256d, the last of an odd row with itself; zeros for
 * an empty list (Core's ComputeMerkleRoot).
 */
export function computeMerkleRoot(ids: readonly Hash[]): MerkleResult {
  if (ids.length === 0) return { root: ZERO_HASH, mutated: false };
  let row = ids.map(hashToBytes);
  let mutated = false;
  const pair = Buffer.alloc(64);
  while (row.length > 1) {
    const next: Buffer[] = [];
    for (let i = 0; i < row.length; i += 2) {
      const left = row[i]!;
      const right = row[i + 1];
      if (right?.equals(left)) mutated = true;
      left.copy(pair, 0);
      (right ?? left).copy(pair, 32);
      next.push(sha256d(pair));
    }
    row = next;
  }
  return { root: hashFromBytes(row[0]!), mutated };
}
