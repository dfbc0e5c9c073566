import { hashFromBytes, hashToBytes, type Hash } from '../../consensus/codec.js';
import { hash256, sha256d } from '../../consensus/hash.js';
import { decodeHeader } from '../../consensus/header.js';
import { MAX_BRANCH } from '../../proofs/offline/merkle-branch.js';
import type { JsonProof } from '../../proofs/offline/json-proof.js';

/** Two hashes that are hashed together, the left one first. */
export interface Pair {
  /** Computed from what is below it. */
  readonly own: Hash;
  /** What the proof gives. */
  readonly sibling: Hash;
  readonly isOwnRight: boolean;
}

/** The way from an entry to its block, computed from the bytes of a proof, whether they fit together or not. */
export interface MerklePath {
  /** The hash of the entry's bytes. */
  readonly entryHash: Hash;
  /** What the proof says is the id: the way begins with it. */
  readonly id: Hash;
  /** From the entry up. */
  readonly pairs: readonly Pair[];
  /** Where the way ends. */
  readonly root: Hash;
  /** What the header of the block has; undefined where the proof has no such header. */
  readonly headerRoot: Hash | undefined;
}

export function pathOf(proof: JsonProof): MerklePath {
  const pairs: Pair[] = [];
  let own = proof.id;
  for (const [level, sibling] of proof.merkle.slice(0, MAX_BRANCH).entries()) {
    const isOwnRight = Math.floor(proof.pos / 2 ** level) % 2 === 1;
    pairs.push({ own, sibling, isOwnRight });
    const [left, right] = isOwnRight ? [sibling, own] : [own, sibling];
    own = hashFromBytes(sha256d(Buffer.concat([hashToBytes(left), hashToBytes(right)])));
  }
  const header = proof.headers[proof.block_height - proof.anchor.height - 1];
  return {
    entryHash: hash256(Buffer.from(proof.transaction, 'hex')),
    id: proof.id,
    pairs,
    root: own,
    headerRoot: header === undefined ? undefined : decodeHeader(Buffer.from(header, 'hex')).merkleRoot,
  };
}
