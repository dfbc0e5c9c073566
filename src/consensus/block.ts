import { ByteReader, encodeVarint, type Hash } from './codec.js';
import { HEADER_BYTES, decodeHeader, encodeHeader, hashHeader, type BlockHeader } from './header.js';
import { RuleError } from './rule-error.js';
import { readTransaction, type Transaction } from './transaction.js';

/** A decoded block. `bytes` is the whole encoding: header, varint count, transactions. */
export interface Block {
  readonly hash: Hash;
  readonly header: BlockHeader;
  readonly transactions: readonly Transaction[];
  readonly bytes: Buffer;
}

/** Bounds the time that any block can cost: decoding, hashing, storing and giving back its transactions. */
export const MAX_BLOCK_TRANSACTIONS = 10_000;

export function createBlock(header: BlockHeader, transactions: readonly Transaction[]): Block {
  const bytes = Buffer.concat([
    encodeHeader(header),
    encodeVarint(transactions.length),
    ...transactions.map((transaction) => transaction.bytes),
  ]);
  return { hash: hashHeader(header), header, transactions, bytes };
}

/**
 * @throws RuleError `bad-header-encoding`, `bad-blk-encoding`, `bad-blk-count` (before any transaction is read), or a
 *   `bad-txn-*`, `bad-cb-miner` of its transactions.
 */
export function decodeBlock(bytes: Uint8Array): Block {
  const header = decodeHeader(bytes.subarray(0, HEADER_BYTES));
  const reader = new ByteReader(bytes, 'bad-blk-encoding');
  reader.bytes(HEADER_BYTES);
  const count = reader.varint();
  checkTransactionCount(count);
  const transactions: Transaction[] = [];
  for (let i = 0; i < count; i++) transactions.push(readTransaction(reader));
  reader.end();
  return { hash: hashHeader(header), header, transactions, bytes: Buffer.from(bytes) };
}

/** @throws RuleError `bad-blk-count`. */
export function checkTransactionCount(count: number): void {
  if (count > MAX_BLOCK_TRANSACTIONS) {
    throw new RuleError('bad-blk-count', `block has ${count} transactions, at most ${MAX_BLOCK_TRANSACTIONS} allowed`, {
      count,
    });
  }
}
