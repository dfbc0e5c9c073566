import * as fc from 'fast-check';
import { createBlock, type Block } from '../../src/consensus/block.js';
import { hashFromBytes, type Hash } from '../../src/consensus/codec.js';
import type { BlockHeader } from '../../src/consensus/header.js';
import { createCoinbase } from '../../src/consensus/coinbase.js';
import { MAX_TIMESTAMP_MS, createDataTransaction } from '../../src/consensus/data-entry.js';
import { encodeSignedTransaction } from '../../src/consensus/signed-entry.js';
import { type Transaction } from '../../src/consensus/transaction.js';

/** fast-check generators of consensus values. All are well-formed; that they keep the rules is not promised. */

export const uint32 = fc.integer({ min: 0, max: 0xffffffff });

export const hashes: fc.Arbitrary<Hash> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => hashFromBytes(bytes));

export const headers: fc.Arbitrary<BlockHeader> = fc.record({
  version: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  previousHash: hashes,
  merkleRoot: hashes,
  time: uint32,
  bits: uint32,
  nonce: uint32,
});

/** Any string that UTF-8 can encode. */
export const unicode = fc.string({ unit: 'binary', maxLength: 200 });

export const coinbases = fc
  .record({
    height: uint32,
    extraNonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    // 16 code points are at most 64 bytes.
    miner: fc.string({ unit: 'binary', maxLength: 16 }).filter((name) => !name.includes('\0')),
  })
  .map(({ height, extraNonce, miner }) => createCoinbase(height, extraNonce, miner));

export const dataTransactions = fc
  .record({
    data: unicode,
    timestampMs: fc.integer({ min: 0, max: MAX_TIMESTAMP_MS }),
    salt: fc.uint8Array({ minLength: 17, maxLength: 17 }),
  })
  .map(({ data, timestampMs, salt }) => createDataTransaction(data, timestampMs, (length) => salt.subarray(0, length)));

/** With random keys and signatures, so few of them are valid. */
export const signedTransactions = fc
  .record({
    data: unicode,
    publicKey: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    signature: fc.uint8Array({ minLength: 64, maxLength: 64 }),
  })
  .map(({ data, ...signed }) => encodeSignedTransaction(data, signed));

export const transactions: fc.Arbitrary<Transaction> = fc.oneof(coinbases, dataTransactions, signedTransactions);

export const blocks: fc.Arbitrary<Block> = fc
  .record({ header: headers, transactions: fc.array(transactions, { maxLength: 6 }) })
  .map(({ header, transactions: list }) => createBlock(header, list));

/** Valid bytes with one thing done to them: bits flipped, cut off, or bytes put in. */
export function damaged(valid: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .record({
      bytes: valid,
      place: fc.nat(),
      kind: fc.constantFrom('flip', 'cut', 'insert'),
      filling: fc.uint8Array({ minLength: 1, maxLength: 4 }),
    })
    .map(({ bytes, place, kind, filling }) => {
      const at = place % bytes.length;
      if (kind === 'cut') return bytes.subarray(0, at);
      if (kind === 'insert') return Buffer.concat([bytes.subarray(0, at), filling, bytes.subarray(at)]);
      const copy = Buffer.from(bytes);
      copy[at]! ^= filling[0]! || 1;
      return copy;
    });
}
