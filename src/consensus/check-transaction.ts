import { RuleError } from './rule-error.js';
import {
  FORBIDDEN_TRANSACTION_BYTES,
  MAX_DATA_BYTES,
  MAX_SALT_BYTES,
  type DataTransaction,
  type Transaction,
} from './transaction.js';

/**
 * Context-free rules of one transaction, coinbase or data.
 * @throws RuleError `bad-txn-64-bytes`, `bad-txn-salt`, `bad-txn-data-empty`, `bad-txn-data-length`.
 */
export function checkTransaction(transaction: Transaction): void {
  checkTransactionSize(transaction);
  if (transaction.kind === 'data') checkData(transaction);
}

/**
 * Could the transaction pass for an inner Merkle node, that is, for two ids (CVE-2017-12842; BIP 54)?
 * @throws RuleError `bad-txn-64-bytes`.
 */
export function checkTransactionSize(transaction: Transaction): void {
  if (transaction.bytes.length === FORBIDDEN_TRANSACTION_BYTES) {
    throw new RuleError('bad-txn-64-bytes', 'a transaction must not encode to exactly 64 bytes (CVE-2017-12842)');
  }
}

function checkData(transaction: DataTransaction): void {
  if (transaction.salt.length > MAX_SALT_BYTES) {
    throw new RuleError(
      'bad-txn-salt',
      `salt has ${transaction.salt.length} bytes, at most ${MAX_SALT_BYTES} allowed`,
      {
        bytes: transaction.salt.length,
      },
    );
  }
  const length = Buffer.byteLength(transaction.data, 'utf8');
  if (length === 0)
    throw new RuleError('bad-txn-data-empty', `data is empty, 1 to ${MAX_DATA_BYTES} bytes of UTF-8 expected`);
  if (length > MAX_DATA_BYTES) {
    throw new RuleError('bad-txn-data-length', `data has ${length} bytes of UTF-8, at most ${MAX_DATA_BYTES} allowed`, {
      bytes: length,
    });
  }
}
