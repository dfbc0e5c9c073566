import { hashFromBytes, hashToBytes, type Hash } from '../../consensus/codec.js';
import { sha256, sha256d } from '../../consensus/hash.js';
import { decodeTransaction, type Transaction } from '../../consensus/transaction.js';
import type { MerkleBranch } from './merkle-branch.js';
import { decodeOts, encodeOts, type OtsStep } from './ots-file.js';
import { ProofError } from './proof-error.js';

const HASH_BYTES = 32;
const DOUBLE_HASH: readonly OtsStep[] = [{ op: 'sha256' }, { op: 'sha256' }];

/**
 * A proof whose stamped file is the entry itself: `entry` is what stands in `GET /transactions/:id?format=raw`.
 * @param height of the entry's block.
 */
export function otsOfEntry(entry: Uint8Array, branch: MerkleBranch, height: number): Buffer {
  return encodeOts(sha256(entry), [{ op: 'sha256' }, ...stepsOf(branch)], height);
}

/** The SHA-256 of a file that an entry has as its salt; undefined when its salt cannot be one. */
export function stampedDigest(entry: Transaction): Buffer | undefined {
  return entry.kind === 'data' && entry.salt.length === HASH_BYTES ? entry.salt : undefined;
}

/** A proof whose stamped file is the one with this SHA-256, which the entry has as its salt. */
export function otsOfStampedFile(entry: Uint8Array, digest: Uint8Array, branch: MerkleBranch, height: number): Buffer {
  const bytes = Buffer.from(entry);
  const at = bytes.indexOf(digest);
  const head = bytes.subarray(0, at);
  const tail = bytes.subarray(at + HASH_BYTES);
  const around: OtsStep[] = [
    { op: 'prepend', argument: head },
    { op: 'append', argument: tail },
  ];
  return encodeOts(digest, [...around, ...DOUBLE_HASH, ...stepsOf(branch)], height);
}

/** What an OpenTimestamps proof of ours says. */
export interface OtsProof {
  /** SHA-256 of the stamped file. */
  readonly digest: Buffer;
  /** The entry that has the digest as its salt; undefined when the stamped file is the entry itself. */
  readonly entry: Buffer | undefined;
  readonly id: Hash;
  readonly branch: MerkleBranch;
  /** Of the block. */
  readonly height: number;
}

/**
 * Reads a proof as otsOfEntry and otsOfStampedFile write it.
 * @throws ProofError `format`; `attestation` when it names no block; `transaction` or `merkle` when its steps lead through no
 *   entry to a Merkle root.
 */
export function readOtsProof(bytes: Uint8Array): OtsProof {
  const { hash, digest, paths } = decodeOts(bytes);
  const found = paths.flatMap(({ steps, attestation }) =>
    attestation.kind === 'bitcoin' ? [{ steps, height: attestation.height }] : [],
  );
  if (found.length === 0) {
    const others = paths.map(({ attestation }) => (attestation.kind === 'pending' ? 'pending' : attestation.kind));
    throw new ProofError('attestation', `the proof names no block, only: ${[...new Set(others)].join(', ')}`);
  }
  if (found.length > 1) throw new ProofError('attestation', `the proof names ${found.length} blocks, not one`);
  if (hash !== 'sha256') throw new ProofError('transaction', `the file is hashed by ${hash}, entries by sha256`);
  const { steps, height } = found[0]!;
  const { entry, id, rest } = readEntrySteps(digest, steps);
  return { digest, entry, id, branch: readBranch(rest), height };
}

interface EntrySteps {
  readonly entry: Buffer | undefined;
  readonly id: Hash;
  readonly rest: readonly OtsStep[];
}

function readEntrySteps(digest: Buffer, steps: readonly OtsStep[]): EntrySteps {
  const [first, second] = steps;
  if (first?.op === 'sha256') {
    return { entry: undefined, id: hashFromBytes(sha256(digest)), rest: steps.slice(1) };
  }
  if (first?.op !== 'prepend' || second?.op !== 'append' || !isDoubleHash(steps, 2)) {
    throw new ProofError('transaction', 'the proof is not one of a minichain: its first steps make no entry');
  }
  const entry = Buffer.concat([first.argument, digest, second.argument]);
  if (!stampedDigest(decodeTransaction(entry))?.equals(digest)) {
    throw new ProofError('transaction', 'the SHA-256 of the stamped file is not the salt of the entry');
  }
  return { entry, id: hashFromBytes(sha256d(entry)), rest: steps.slice(4) };
}

function readBranch(steps: readonly OtsStep[]): MerkleBranch {
  const merkle: Hash[] = [];
  let pos = 0;
  for (let at = 0; at < steps.length; at += 3) {
    const step = steps[at]!;
    if (!('argument' in step) || step.argument.length !== HASH_BYTES || !isDoubleHash(steps, at + 1)) {
      throw new ProofError('merkle', 'the steps after the entry are not the way to a Merkle root');
    }
    if (step.op === 'prepend') pos += 2 ** merkle.length;
    merkle.push(hashFromBytes(step.argument));
  }
  return { merkle, pos };
}

function stepsOf({ merkle, pos }: MerkleBranch): OtsStep[] {
  return merkle.flatMap((sibling, level): OtsStep[] => {
    const isRight = Math.floor(pos / 2 ** level) % 2 === 1;
    return [{ op: isRight ? 'prepend' : 'append', argument: hashToBytes(sibling) }, ...DOUBLE_HASH];
  });
}

function isDoubleHash(steps: readonly OtsStep[], at: number): boolean {
  return steps[at]?.op === 'sha256' && steps[at + 1]?.op === 'sha256';
}
