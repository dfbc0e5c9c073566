import { hash256 } from './hash.js';
import { RuleError } from './rule-error.js';
import { decodeUtf8, type Encoded, type TransactionKind } from './transaction-kind.js';

export const MINER_BYTES = 64;
const KIND_BYTE = 0;

/** The first transaction of a block; it makes the block's Merkle root unique to height, miner and extra nonce. */
export interface CoinbaseTransaction extends Encoded {
  readonly kind: 'coinbase';
  readonly height: number;
  readonly extraNonce: bigint;
  /** Node id of the miner, at most 64 bytes of UTF-8. */
  readonly miner: string;
}

export const coinbaseKind: TransactionKind<CoinbaseTransaction> = {
  byte: KIND_BYTE,
  read: (reader) => ({
    kind: 'coinbase',
    height: reader.uint32(),
    extraNonce: reader.uint64(),
    miner: decodeMiner(reader.bytes(MINER_BYTES)),
  }),
  check() {},
};

/** @throws RangeError when `miner` does not fit its 64 bytes, has a NUL in it or no UTF-8 form (a lone surrogate). */
export function createCoinbase(height: number, extraNonce: bigint, miner: string): CoinbaseTransaction {
  const name = Buffer.from(miner, 'utf8');
  if (name.length > MINER_BYTES || name.includes(0) || !miner.isWellFormed()) {
    throw new RangeError(`miner must be at most ${MINER_BYTES} bytes of UTF-8 without NUL, got ${name.length} bytes`);
  }
  const bytes = Buffer.alloc(13 + MINER_BYTES);
  bytes.writeUInt8(KIND_BYTE, 0);
  bytes.writeUInt32LE(height, 1);
  bytes.writeBigUInt64LE(extraNonce, 5);
  name.copy(bytes, 13);
  return { kind: 'coinbase', id: hash256(bytes), bytes, height, extraNonce, miner };
}

function decodeMiner(padded: Buffer): string {
  const end = padded.indexOf(0);
  const name = end < 0 ? padded : padded.subarray(0, end);
  if (padded.subarray(name.length).some((byte) => byte !== 0)) {
    throw new RuleError('bad-cb-miner', 'coinbase miner is not padded with zeros only');
  }
  return decodeUtf8(name, 'bad-cb-miner', 'coinbase miner');
}
