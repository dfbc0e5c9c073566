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
 * A block of which only the header and the count are decoded yet. `transactions` decodes the rest while the caller
 * iterates, so that the caller can pause: a full block takes tens of milliseconds.
 */
export interface OpenedBlock extends Omit<Block, 'transactions'> {
  /** Number of transactions, as it says. */
  readonly count: number;
  /** Can be iterated once. @throws RuleError as decodeBlock. */
  readonly transactions: Iterable<Transaction>;
}

/**
 * @throws RuleError `bad-header-encoding`, `bad-blk-encoding`, `bad-blk-count` (before any transaction is read), or a
 *   `bad-txn-*`, `bad-cb-miner` of its transactions.
 */
export function decodeBlock(bytes: Uint8Array): Block {
  const { hash, header, transactions, bytes: own } = openBlock(bytes);
  return { hash, header, transactions: [...transactions], bytes: own };
}

/** @throws RuleError `bad-header-encoding`, `bad-blk-encoding`, `bad-blk-count`. */
export function openBlock(bytes: Uint8Array): OpenedBlock {
  const own = Buffer.from(bytes);
  const header = decodeHeader(own.subarray(0, HEADER_BYTES));
  const reader = new ByteReader(own, 'bad-blk-encoding');
  reader.bytes(HEADER_BYTES);
  const count = reader.varint();
  checkTransactionCount(count);
  return { hash: hashHeader(header), header, count, transactions: readTransactions(reader, count), bytes: own };
}

function* readTransactions(reader: ByteReader, count: number): Generator<Transaction> {
  for (let i = 0; i < count; i++) yield readTransaction(reader);
  reader.end();
}

/** @throws RuleError `bad-blk-count`. */
export function checkTransactionCount(count: number): void {
  if (count > MAX_BLOCK_TRANSACTIONS) {
    throw new RuleError('bad-blk-count', `block has ${count} transactions, at most ${MAX_BLOCK_TRANSACTIONS} allowed`, {
      count,
    });
  }
}
