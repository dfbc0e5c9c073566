import { encodeVarint, varintLength } from './codec.js';
import { checkData, encodeData, readData } from './entry-data.js';
import { hash256 } from './hash.js';
import { RuleError } from './rule-error.js';
import type { Encoded, TransactionKind } from './transaction-kind.js';

export const MAX_SALT_BYTES = 32;
/** The last millisecond of the year 9999: the last that ISO 8601 writes with four digits for the year. */
export const MAX_TIMESTAMP_MS = 253_402_300_799_999;
/** A transaction of this size could pass for an inner Merkle node (CVE-2017-12842). */
export const FORBIDDEN_TRANSACTION_BYTES = 64;
const KIND_BYTE = 1;
const DEFAULT_SALT_BYTES = 16;

/** An entry. `timestampMs` is the poster's clock, since the epoch; `salt` makes two posts of one string two entries. */
export interface DataTransaction extends Encoded {
  readonly kind: 'data';
  readonly timestampMs: number;
  readonly salt: Buffer;
  readonly data: string;
}

export const dataKind: TransactionKind<DataTransaction> = {
  byte: KIND_BYTE,
  read(reader) {
    const timestampMs = reader.uint64();
    if (timestampMs > MAX_TIMESTAMP_MS) {
      throw new RuleError('bad-txn-timestamp', `timestamp ${timestampMs} ms is after the year 9999`);
    }
    const salt = Buffer.from(reader.bytes(reader.varint()));
    return { kind: 'data', timestampMs: Number(timestampMs), salt, data: readData(reader) };
  },
  check({ salt, data }) {
    if (salt.length > MAX_SALT_BYTES) {
      throw new RuleError('bad-txn-salt', `salt has ${salt.length} bytes, at most ${MAX_SALT_BYTES} allowed`, {
        bytes: salt.length,
      });
    }
    checkData(data);
  },
};

/**
 * Makes an entry with a random salt, one byte longer where the encoding would come to the forbidden 64 bytes.
 * @throws as encodeDataTransaction.
 */
export function createDataTransaction(
  data: string,
  timestampMs: number,
  randomBytes: (length: number) => Uint8Array,
): DataTransaction {
  const dataBytes = Buffer.byteLength(data, 'utf8');
  const isForbidden = encodedLength(DEFAULT_SALT_BYTES, dataBytes) === FORBIDDEN_TRANSACTION_BYTES;
  const salt = randomBytes(isForbidden ? DEFAULT_SALT_BYTES + 1 : DEFAULT_SALT_BYTES);
  return encodeDataTransaction(data, timestampMs, salt);
}

/**
 * Encodes an entry. It still has to pass checkTransaction: a string that is too long, for example, is not refused here.
 * @throws RuleError `bad-txn-data-encoding`, as encodeData.
 * @throws RangeError when `timestampMs` is not a whole number 0..MAX_TIMESTAMP_MS.
 */
export function encodeDataTransaction(data: string, timestampMs: number, salt: Uint8Array): DataTransaction {
  const payload = encodeData(data);
  if (timestampMs > MAX_TIMESTAMP_MS) throw new RangeError(`timestamp ${timestampMs} is above ${MAX_TIMESTAMP_MS} ms`);
  const ownSalt = Buffer.from(salt);
  const head = Buffer.alloc(9);
  head.writeUInt8(KIND_BYTE, 0);
  head.writeBigUInt64LE(BigInt(timestampMs), 1);
  const bytes = Buffer.concat([head, encodeVarint(salt.length), ownSalt, encodeVarint(payload.length), payload]);
  return { kind: 'data', id: hash256(bytes), bytes, timestampMs, salt: ownSalt, data };
}

/** Bytes of the whole transaction. */
function encodedLength(saltBytes: number, dataBytes: number): number {
  return 9 + varintLength(saltBytes) + saltBytes + varintLength(dataBytes) + dataBytes;
}
