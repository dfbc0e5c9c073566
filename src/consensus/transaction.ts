import { ByteReader, type Hash } from './codec.js';
import { coinbaseKind, type CoinbaseTransaction } from './coinbase.js';
import { FORBIDDEN_TRANSACTION_BYTES, dataKind, type DataTransaction } from './data-entry.js';
import { hash256 } from './hash.js';
import { RuleError } from './rule-error.js';
import { signedKind, type SignedTransaction } from './signed-entry.js';
import type { TransactionKind } from './transaction-kind.js';

export type Transaction = CoinbaseTransaction | DataTransaction | SignedTransaction;

/** A transaction that carries data: what people post, the mempool holds and a reorganisation gives back. */
export type Entry = Exclude<Transaction, CoinbaseTransaction>;

/**
 * Every kind of transaction. A new kind is a file like data-entry.ts, its type in `Transaction` and a row here; the
 * compiler then names every other place that has to know of it.
 */
export const TRANSACTION_KINDS: {
  readonly [Kind in Transaction['kind']]: TransactionKind<Extract<Transaction, { readonly kind: Kind }>>;
} = { coinbase: coinbaseKind, data: dataKind, signed: signedKind };

export function isEntry(transaction: Transaction): transaction is Entry {
  return transaction.kind !== 'coinbase';
}

/**
 * Decodes exactly one transaction. Sizes are not judged here (see checkTransaction), only what cannot be read.
 * @throws RuleError `bad-txn-encoding`, `bad-txn-kind`, or what the kind's own `read` throws.
 */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  const reader = new ByteReader(bytes, 'bad-txn-encoding');
  const transaction = readTransaction(reader);
  reader.end();
  return transaction;
}

/** Reads the next transaction off `reader`; transactions are self-delimiting. Throws as decodeTransaction. */
export function readTransaction(reader: ByteReader): Transaction {
  const start = reader.offset;
  const fields = kindOf(reader.uint8()).read(reader);
  const bytes = Buffer.from(reader.since(start));
  return { ...fields, id: hash256(bytes), bytes } as Transaction;
}

/**
 * Context-free rules of one transaction, except those of its signature (see checkSignature).
 * @throws RuleError `bad-txn-64-bytes`, or what the kind's own `check` throws.
 */
export function checkTransaction(transaction: Transaction): void {
  checkTransactionSize(transaction);
  (TRANSACTION_KINDS[transaction.kind] as TransactionKind<Transaction>).check(transaction);
}

export function hasSignature({ kind }: Transaction): boolean {
  return TRANSACTION_KINDS[kind].checkSignature !== undefined;
}

/**
 * Checks the signature of a transaction that passed checkTransaction; does nothing for a kind that has none.
 * @param genesis hash of the network's genesis. @throws RuleError `bad-sig-key`, `bad-sig-encoding`, `bad-sig`.
 */
export function checkSignature(transaction: Transaction, genesis: Hash): void {
  (TRANSACTION_KINDS[transaction.kind] as TransactionKind<Transaction>).checkSignature?.(transaction, genesis);
}

/**
 * Could the transaction pass for an inner Merkle node, that is, for two ids (CVE-2017-12842; BIP 54)?
 * @throws RuleError `bad-txn-64-bytes`.
 */
export function checkTransactionSize(transaction: Transaction): void {
  if (transaction.bytes.length === FORBIDDEN_TRANSACTION_BYTES) {
    throw new RuleError(
      'bad-txn-64-bytes',
      'a transaction must not encode to exactly 64 bytes (CVE-2017-12842); a salt of another length helps',
    );
  }
}

/** @throws RuleError `bad-txn-kind`. */
function kindOf(byte: number): TransactionKind<Transaction> {
  for (const kind of Object.values(TRANSACTION_KINDS)) {
    if (kind.byte === byte) return kind;
  }
  const known = Object.entries(TRANSACTION_KINDS).map(([name, kind]) => `${kind.byte} (${name})`);
  throw new RuleError('bad-txn-kind', `transaction kind ${byte} is unknown; valid are ${known.join(', ')}`, {
    kind: byte,
  });
}
