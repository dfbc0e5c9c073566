import { createBlock, type Block } from '../../src/consensus/block.js';
import { linkHeader, type BlockNode } from '../../src/consensus/block-tree.js';
import { ZERO_HASH, encodeVarint, type Hash } from '../../src/consensus/codec.js';
import { computeMerkleRoot } from '../../src/consensus/merkle.js';
import { type DataTransaction } from '../../src/consensus/data-entry.js';
import { decodeTransaction, type Transaction } from '../../src/consensus/transaction.js';

/** A made-up hash, distinct for each `n`. */
export function fakeHash(n: number): Hash {
  return n.toString(16).padStart(64, '0');
}

/** A chain of nodes with the given header times, genesis first, all of one difficulty; returns all of them. */
export function linkTimes(times: readonly number[], bits: number): BlockNode[] {
  const nodes: BlockNode[] = [];
  for (const time of times) nodes.push(linkHeader(fakeHash(nodes.length), { time, bits }, nodes.at(-1)));
  return nodes;
}

/** The bytes of a data transaction field by field, sizes as given: for what createDataTransaction would not make. */
export function rawDataBytes(timestampMs: bigint, salt: Uint8Array, data: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUInt8(1, 0);
  head.writeBigUInt64LE(timestampMs, 1);
  return Buffer.concat([head, encodeVarint(salt.length), salt, encodeVarint(data.length), data]);
}

export function rawData(saltBytes: number, data: string): DataTransaction {
  return decodeTransaction(rawDataBytes(1n, Buffer.alloc(saltBytes, 7), Buffer.from(data))) as DataTransaction;
}

/** A block whose header commits to exactly these transactions; its proof of work is not done. */
export function committedBlock(transactions: readonly Transaction[]): Block {
  const { root } = computeMerkleRoot(transactions.map((transaction) => transaction.id));
  return createBlock(
    { version: 1, previousHash: ZERO_HASH, merkleRoot: root, time: 0, bits: 0x2100ffff, nonce: 0 },
    transactions,
  );
}
