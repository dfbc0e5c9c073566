import { ByteReader, encodeVarint, varintLength, type Hash } from './codec.js';
import { hash256 } from './hash.js';
import { RuleError } from './rule-error.js';

export const COINBASE_KIND = 0;
export const DATA_KIND = 1;
export const MINER_BYTES = 64;
export const MAX_SALT_BYTES = 32;
export const MAX_DATA_BYTES = 16_384;
/** The last moment that ECMAScript's Date can show: who prints a timestamp need not fear a RangeError. */
export const MAX_TIMESTAMP_MS = 8_640_000_000_000_000;
/** A transaction of this size could pass for an inner Merkle node (CVE-2017-12842). */
export const FORBIDDEN_TRANSACTION_BYTES = 64;
const DEFAULT_SALT_BYTES = 16;

interface Encoded {
  /** SHA-256d of `bytes`, shown as a Hash. */
  readonly id: Hash;
  readonly bytes: Buffer;
}

/** The first transaction of a block; it makes the block's Merkle root unique to height, miner and extra nonce. */
export interface CoinbaseTransaction extends Encoded {
  readonly kind: 'coinbase';
  readonly height: number;
  readonly extraNonce: bigint;
  /** Node id of the miner, at most 64 bytes of UTF-8. */
  readonly miner: string;
}

/** An entry. `timestampMs` is the poster's clock, since the epoch; `salt` makes two posts of one string two entries. */
export interface DataTransaction extends Encoded {
  readonly kind: 'data';
  readonly timestampMs: number;
  readonly salt: Buffer;
  readonly data: string;
}

export type Transaction = CoinbaseTransaction | DataTransaction;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @throws RangeError when `miner` does not fit its 64 bytes, has a NUL in it or no UTF-8 form (a lone surrogate). */
export function createCoinbase(height: number, extraNonce: bigint, miner: string): CoinbaseTransaction {
  const name = Buffer.from(miner, 'utf8');
  if (name.length > MINER_BYTES || name.includes(0) || !miner.isWellFormed()) {
    throw new RangeError(`miner must be at most ${MINER_BYTES} bytes of UTF-8 without NUL, got ${name.length} bytes`);
  }
  const bytes = Buffer.alloc(13 + MINER_BYTES);
  bytes.writeUInt8(COINBASE_KIND, 0);
  bytes.writeUInt32LE(height, 1);
  bytes.writeBigUInt64LE(extraNonce, 5);
  name.copy(bytes, 13);
  return { kind: 'coinbase', id: transactionId(bytes), bytes, height, extraNonce, miner };
}

/**
 * Encodes an entry. The salt is cut from `randomBytes`, one byte longer where the encoding would come to the
 * forbidden 64 bytes. What it makes still has to pass checkTransaction (a string too long, say, is not refused here).
 * @throws RuleError `bad-txn-data-encoding` when `data` has a lone surrogate: it has no UTF-8 form (a JSON body can).
 * @throws RangeError when `timestampMs` is not a whole number 0..MAX_TIMESTAMP_MS.
 */
export function createDataTransaction(
  data: string,
  timestampMs: number,
  randomBytes: (length: number) => Uint8Array,
): DataTransaction {
  if (!data.isWellFormed()) {
    throw new RuleError('bad-txn-data-encoding', 'data has a lone surrogate, which UTF-8 cannot encode');
  }
  if (timestampMs > MAX_TIMESTAMP_MS) throw new RangeError(`timestamp ${timestampMs} is above ${MAX_TIMESTAMP_MS} ms`);
  const payload = Buffer.from(data, 'utf8');
  const lengthWith = (saltLength: number): number =>
    1 + 8 + varintLength(saltLength) + saltLength + varintLength(payload.length) + payload.length;
  const saltBytes =
    lengthWith(DEFAULT_SALT_BYTES) === FORBIDDEN_TRANSACTION_BYTES ? DEFAULT_SALT_BYTES + 1 : DEFAULT_SALT_BYTES;
  const salt = Buffer.from(randomBytes(saltBytes));
  const head = Buffer.alloc(9);
  head.writeUInt8(DATA_KIND, 0);
  head.writeBigUInt64LE(BigInt(timestampMs), 1);
  const bytes = Buffer.concat([head, encodeVarint(salt.length), salt, encodeVarint(payload.length), payload]);
  return { kind: 'data', id: transactionId(bytes), bytes, timestampMs, salt, data };
}

/**
 * Decodes exactly one transaction. Sizes are not judged here (see check-transaction), only what cannot be read.
 * @throws RuleError `bad-txn-encoding`, `bad-txn-kind`, `bad-cb-miner`, `bad-txn-data-encoding`.
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
  const kind = reader.uint8();
  if (kind === COINBASE_KIND) {
    const height = reader.uint32();
    const extraNonce = reader.uint64();
    const miner = decodeMiner(reader.bytes(MINER_BYTES));
    const own = Buffer.from(reader.since(start));
    return { kind: 'coinbase', id: transactionId(own), bytes: own, height, extraNonce, miner };
  }
  if (kind === DATA_KIND) {
    const timestampMs = reader.uint64();
    if (timestampMs > MAX_TIMESTAMP_MS) {
      throw new RuleError('bad-txn-encoding', `timestamp ${timestampMs} ms is above ${MAX_TIMESTAMP_MS} ms`);
    }
    const salt = Buffer.from(reader.bytes(reader.varint()));
    const data = decodeUtf8(reader.bytes(reader.varint()), 'bad-txn-data-encoding', 'data');
    const own = Buffer.from(reader.since(start));
    return { kind: 'data', id: transactionId(own), bytes: own, timestampMs: Number(timestampMs), salt, data };
  }
  throw new RuleError('bad-txn-kind', `transaction kind ${kind} is unknown; 0 (coinbase) and 1 (data) are valid`, {
    kind,
  });
}

/** SHA-256d of the encoded transaction, shown reversed. */
export function transactionId(bytes: Uint8Array): Hash {
  return hash256(bytes);
}

function decodeMiner(padded: Buffer): string {
  const end = padded.indexOf(0);
  const name = end < 0 ? padded : padded.subarray(0, end);
  if (padded.subarray(name.length).some((byte) => byte !== 0)) {
    throw new RuleError('bad-cb-miner', 'coinbase miner is not padded with zeros only');
  }
  return decodeUtf8(name, 'bad-cb-miner', 'coinbase miner');
}

function decodeUtf8(bytes: Buffer, code: 'bad-cb-miner' | 'bad-txn-data-encoding', what: string): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new RuleError(code, `${what} is not valid UTF-8`);
  }
}
