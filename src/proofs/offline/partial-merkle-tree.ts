import { MAX_BLOCK_TRANSACTIONS } from '../../consensus/block.js';
import { ByteReader, encodeVarint, hashFromBytes, hashToBytes, type Hash } from '../../consensus/codec.js';
import { nextRow, parentOf } from './merkle-branch.js';
import { ProofError } from './proof-error.js';

/** A transaction that the tree shows to be in its block. */
export interface Match {
  readonly id: Hash;
  /** Place in the block, from 0. */
  readonly pos: number;
}

export interface PartialMerkleTree {
  /** Of the whole block, as the tree says; nothing in it proves that number. */
  readonly transactions: number;
  readonly root: Hash;
  readonly matches: readonly Match[];
}

/** BIP 37's partial Merkle tree, as gettxoutproof gives it: of a block with these ids, it shows those that match. */
export function encodePartialTree(ids: readonly Hash[], isMatch: (pos: number) => boolean): Buffer {
  const rows = [ids.map(hashToBytes)];
  /** Which nodes of each row have a match below them. */
  const marked = [ids.map((_, pos) => isMatch(pos))];
  while (rows.at(-1)!.length > 1) {
    const below = marked.at(-1)!;
    rows.push(nextRow(rows.at(-1)!));
    marked.push(rows.at(-1)!.map((_, at) => below[at * 2]! || below[at * 2 + 1] === true));
  }
  const bits: boolean[] = [];
  const hashes: Buffer[] = [];
  const walk = (height: number, at: number): void => {
    const isParent = marked[height]![at]!;
    bits.push(isParent);
    if (height === 0 || !isParent) {
      hashes.push(rows[height]![at]!);
      return;
    }
    walk(height - 1, at * 2);
    if (at * 2 + 1 < rows[height - 1]!.length) walk(height - 1, at * 2 + 1);
  };
  walk(rows.length - 1, 0);
  const flags = Buffer.alloc(Math.ceil(bits.length / 8));
  for (const [at, bit] of bits.entries()) if (bit) flags[at >> 3]! |= 1 << (at & 7);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(ids.length);
  return Buffer.concat([count, encodeVarint(hashes.length), ...hashes, encodeVarint(flags.length), flags]);
}

/**
 * Reads a tree off `reader`, and computes its root. As strict as Bitcoin Core's ExtractMatches, and stricter in one point:
 * the bits that only fill the last byte are 0.
 * @throws ProofError `format` or `merkle`; RuleError of the reader when the bytes end too early.
 */
export function readPartialTree(reader: ByteReader): PartialMerkleTree {
  const transactions = reader.uint32();
  if (transactions === 0 || transactions > MAX_BLOCK_TRANSACTIONS) {
    throw new ProofError(
      'format',
      `a block has 1 to ${MAX_BLOCK_TRANSACTIONS} transactions, the tree says ${transactions}`,
    );
  }
  const hashCount = reader.varint();
  if (hashCount === 0 || hashCount > transactions) {
    throw new ProofError('format', `a tree of ${transactions} transactions cannot have ${hashCount} hashes`);
  }
  const hashes = Array.from({ length: hashCount }, () => reader.bytes(32));
  const flags = reader.bytes(reader.varint());
  const matches: Match[] = [];
  let bitsUsed = 0;
  let hashesUsed = 0;
  const widthAt = (height: number): number => Math.ceil(transactions / 2 ** height);
  const walk = (height: number, at: number): Uint8Array => {
    if (bitsUsed >= flags.length * 8) throw new ProofError('format', 'the tree has too few bits');
    const isParent = ((flags[bitsUsed >> 3]! >> (bitsUsed & 7)) & 1) === 1;
    bitsUsed += 1;
    if (height === 0 || !isParent) {
      const hash = hashes[hashesUsed++];
      if (hash === undefined) throw new ProofError('format', 'the tree has too few hashes');
      if (height === 0 && isParent) matches.push({ id: hashFromBytes(hash), pos: at });
      return hash;
    }
    const left = walk(height - 1, at * 2);
    if (at * 2 + 1 >= widthAt(height - 1)) return parentOf(left, left, false);
    // Equal siblings are refused here: CVE-2012-2459.
    return parentOf(walk(height - 1, at * 2 + 1), left, true);
  };
  let height = 0;
  while (widthAt(height) > 1) height += 1;
  const root = hashFromBytes(walk(height, 0));
  if (hashesUsed < hashes.length) throw new ProofError('format', 'the tree has hashes that belong nowhere');
  if (Math.ceil(bitsUsed / 8) < flags.length) throw new ProofError('format', 'the tree has bits that belong nowhere');
  const padding = (flags.at(-1) ?? 0) >> (bitsUsed & 7);
  if ((bitsUsed & 7) !== 0 && padding !== 0) {
    throw new ProofError('format', 'the bits that fill the last byte of the tree are not 0');
  }
  return { transactions, root, matches };
}
