import type { ByteReader } from './codec.js';
import { RuleError } from './rule-error.js';
import { decodeUtf8 } from './transaction-kind.js';

export const MAX_DATA_BYTES = 16_384;

/** Reads the data of an entry. @throws RuleError `bad-txn-data-encoding`, or the reader's. */
export function readData(reader: ByteReader): string {
  return decodeUtf8(reader.bytes(reader.varint()), 'bad-txn-data-encoding', 'data');
}

/** @throws RuleError `bad-txn-data-empty`, `bad-txn-data-length`. */
export function checkData(data: string): void {
  const bytes = Buffer.byteLength(data, 'utf8');
  if (bytes === 0) {
    throw new RuleError('bad-txn-data-empty', `data is empty, 1 to ${MAX_DATA_BYTES} bytes of UTF-8 expected`);
  }
  if (bytes > MAX_DATA_BYTES) {
    throw new RuleError('bad-txn-data-length', `data has ${bytes} bytes of UTF-8, at most ${MAX_DATA_BYTES} allowed`, {
      bytes,
    });
  }
}

/** @throws RuleError `bad-txn-data-encoding` when `data` has a lone surrogate: it has no UTF-8 form (a JSON body can). */
export function encodeData(data: string): Buffer {
  if (!data.isWellFormed()) {
    throw new RuleError('bad-txn-data-encoding', 'data has a lone surrogate, which UTF-8 cannot encode');
  }
  return Buffer.from(data, 'utf8');
}
