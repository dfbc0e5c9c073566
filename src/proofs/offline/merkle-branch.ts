import { MAX_BLOCK_TRANSACTIONS } from '../../consensus/block.js';
import { hashFromBytes, hashToBytes, type Hash } from '../../consensus/codec.js';
import { sha256d } from '../../consensus/hash.js';
import { ProofError } from './proof-error.js';

/** Rows of the largest Merkle tree, without the root. */
export const MAX_BRANCH = Math.ceil(Math.log2(MAX_BLOCK_TRANSACTIONS));

/** The way from one transaction to the Merkle root, by Esplora's names: the siblings from the leaf up, and the place. */
export interface MerkleBranch {
  readonly merkle: readonly Hash[];
  /** Place of the transaction in its block, from 0. */
  readonly pos: number;
}

/** The branch of the transaction at `pos` in a block with these ids. */
export function branchOf(ids: readonly Hash[], pos: number): MerkleBranch {
  const merkle: Hash[] = [];
  let row = ids.map(hashToBytes);
  for (let at = pos; row.length > 1; at >>= 1) {
    merkle.push(hashFromBytes(row[at ^ 1] ?? row[at]!));
    row = nextRow(row);
  }
  return { merkle, pos };
}

/**
 * The Merkle root to which the branch leads from this id.
 * @throws ProofError `merkle` when no tree has such a branch.
 */
export function rootOf(id: Hash, { merkle, pos }: MerkleBranch): Hash {
  if (merkle.length > MAX_BRANCH) {
    throw new ProofError('merkle', `the branch has ${merkle.length} hashes; no block needs more than ${MAX_BRANCH}`);
  }
  if (pos >= 2 ** merkle.length) {
    throw new ProofError('merkle', `a branch of ${merkle.length} hashes leads to no position ${pos}`);
  }
  let hash = hashToBytes(id);
  let at = pos;
  for (const sibling of merkle) {
    hash = parentOf(hash, hashToBytes(sibling), at % 2 === 1);
    at >>= 1;
  }
  return hashFromBytes(hash);
}

/**
 * One step up.
 * @throws ProofError `merkle` when a right node equals its left sibling: then the tree would have the same root with and
 *   without it (CVE-2012-2459).
 */
export function parentOf(hash: Uint8Array, sibling: Uint8Array, isRight: boolean): Buffer {
  if (isRight && Buffer.compare(hash, sibling) === 0) {
    throw new ProofError(
      'merkle',
      'a hash of the branch is its own left neighbour, as in no honest tree (CVE-2012-2459)',
    );
  }
  return sha256d(Buffer.concat(isRight ? [sibling, hash] : [hash, sibling]));
}

/** The row above this one: an odd last hash is paired with itself. */
export function nextRow(row: readonly Buffer[]): Buffer[] {
  const next: Buffer[] = [];
  for (let at = 0; at < row.length; at += 2) next.push(sha256d(Buffer.concat([row[at]!, row[at + 1] ?? row[at]!])));
  return next;
}
