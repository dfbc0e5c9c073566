import { describe, expect, it } from 'vitest';
import { malleated, signedEntry, testKey } from '../../test/support/signing.js';
import { committedBlock } from '../../test/support/consensus.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { createCoinbase } from './coinbase.js';
import { ZERO_HASH } from './codec.js';
import { hash256 } from './hash.js';
import { createParams } from './params.js';
import { MAX_DATA_BYTES } from './entry-data.js';
import { encodeSignedTransaction } from './signed-entry.js';
import { checkSignature, checkTransaction, decodeTransaction, hasSignature, type Transaction } from './transaction.js';
import { BlockVerification, verifyBlock } from './verify-block.js';

const params = createParams({ network: 'test', difficulty: 0 });
const { hash: GENESIS } = params.genesis;
const valid = signedEntry('a signed entry', GENESIS);
const { publicKey, signature } = valid;

/** The rule that breaks first, as a node checks them. */
function ruleOf(transaction: Transaction, genesis = GENESIS): string | undefined {
  return brokenRule(() => {
    checkTransaction(decodeTransaction(transaction.bytes));
    checkSignature(transaction, genesis);
  });
}

const flipped = (bytes: Buffer, at: number): Buffer =>
  Buffer.from(bytes.map((byte, i) => (i === at ? byte ^ 1 : byte)));
const point = (y: bigint, sign: 0 | 1): Buffer => {
  const bytes = Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
  bytes[31]! |= sign << 7;
  return bytes;
};

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const Y8 = BigInt(
  `0x${Buffer.from('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05', 'hex').reverse().toString('hex')}`,
);
/** Every encoding of a point of small order; the last two of the y are not below P. */
const SMALL_ORDER = [0n, 1n, P - 1n, Y8, P - Y8, P, P + 1n].flatMap((y) => [point(y, 0), point(y, 1)]);

describe('a signed entry', () => {
  it('is kind, key, signature and data', () => {
    const data = Buffer.from('a signed entry');
    const bytes = Buffer.concat([Buffer.of(2), publicKey, signature, Buffer.of(data.length), data]);
    expect(valid.bytes).toEqual(bytes);
    expect(valid.id).toBe(hash256(bytes));
    expect(decodeTransaction(bytes)).toEqual(valid);
    expect(ruleOf(valid)).toBeUndefined();
    expect(hasSignature(valid)).toBe(true);
  });

  it('is the same entry each time the same key signs the same data', () => {
    expect(signedEntry('a signed entry', GENESIS)).toEqual(valid);
    expect(signedEntry('a signed entry', GENESIS, testKey('bob')).id).not.toBe(valid.id);
  });

  it('keeps every byte of its data', () => {
    for (const data of ['\ufeff\0\u{10ffff}', 'x'.repeat(MAX_DATA_BYTES), '\r\n']) {
      const entry = signedEntry(data, GENESIS);
      expect(decodeTransaction(entry.bytes)).toMatchObject({ data });
      expect(ruleOf(entry)).toBeUndefined();
    }
  });

  it.each<[string, Transaction, string]>([
    ['other data', encodeSignedTransaction('a signed entrY', valid), 'bad-sig'],
    ['a line break more', encodeSignedTransaction('a signed entry\n', valid), 'bad-sig'],
    ['another key', encodeSignedTransaction(valid.data, { publicKey: testKey('bob').publicKey, signature }), 'bad-sig'],
    ['another R', encodeSignedTransaction(valid.data, { publicKey, signature: flipped(signature, 5) }), 'bad-sig'],
    ['another S', encodeSignedTransaction(valid.data, { publicKey, signature: flipped(signature, 40) }), 'bad-sig'],
    ['S + L', encodeSignedTransaction(valid.data, { publicKey, signature: malleated(signature) }), 'bad-sig-encoding'],
    [
      'S = L',
      encodeSignedTransaction(valid.data, {
        publicKey,
        signature: Buffer.concat([signature.subarray(0, 32), point(L, 0)]),
      }),
      'bad-sig-encoding',
    ],
    [
      'S = L - 1',
      encodeSignedTransaction(valid.data, {
        publicKey,
        signature: Buffer.concat([signature.subarray(0, 32), point(L - 1n, 0)]),
      }),
      'bad-sig',
    ],
    ['a key above P', encodeSignedTransaction(valid.data, { publicKey: point(P + 3n, 0), signature }), 'bad-sig-key'],
    [
      'a key of ones',
      encodeSignedTransaction(valid.data, { publicKey: Buffer.alloc(32, 0xff), signature }),
      'bad-sig-key',
    ],
    ['a key that is no point', encodeSignedTransaction(valid.data, { publicKey: point(2n, 0), signature }), 'bad-sig'],
    ['no data', encodeSignedTransaction('', valid), 'bad-txn-data-empty'],
    ['too much data', encodeSignedTransaction('x'.repeat(MAX_DATA_BYTES + 1), valid), 'bad-txn-data-length'],
  ])('is refused with %s', (_name, transaction, rule) => {
    expect(ruleOf(transaction)).toBe(rule);
  });

  it('is refused with each of the 14 encodings of a point of small order, as key and as R', () => {
    expect(new Set(SMALL_ORDER.map((bytes) => bytes.toString('hex'))).size).toBe(14);
    for (const small of SMALL_ORDER) {
      const weakKey = encodeSignedTransaction(valid.data, { publicKey: small, signature });
      const weakR = Buffer.concat([small, signature.subarray(32)]);
      expect(ruleOf(weakKey)).toBe('bad-sig-key');
      expect(ruleOf(encodeSignedTransaction(valid.data, { publicKey, signature: weakR }))).toBe('bad-sig-encoding');
    }
  });

  it('is refused on another network', () => {
    expect(ruleOf(valid, ZERO_HASH)).toBe('bad-sig');
    expect(ruleOf(signedEntry('x', createParams({ network: 'other', difficulty: 0 }).genesis.hash))).toBe('bad-sig');
  });

  it('is refused after any change of one bit', () => {
    for (let bit = 8; bit < valid.bytes.length * 8; bit++) {
      const bytes = flipped(valid.bytes, -1);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      const rule = brokenRule(() => {
        const transaction = decodeTransaction(bytes);
        checkTransaction(transaction);
        checkSignature(transaction, GENESIS);
      });
      expect(rule).toMatch(/^bad-(sig|sig-key|sig-encoding|txn-encoding|txn-data-encoding)$/);
    }
  });

  it('cannot be made of a key or signature of another length', () => {
    expect(() => encodeSignedTransaction('x', { publicKey: Buffer.alloc(31), signature })).toThrow(RangeError);
    expect(() => encodeSignedTransaction('x', { publicKey, signature: Buffer.alloc(65) })).toThrow(RangeError);
  });
});

describe('the signatures of a block', () => {
  const coinbase = createCoinbase(1, 1n, 'miner');
  const entries = Array.from({ length: 5 }, (_, i) => signedEntry(`entry ${i}`, GENESIS));
  const forged = encodeSignedTransaction('entry 3', entries[2]!);

  /** A block whose proof of work holds, which the easiest of targets does not ask much for. */
  const blockOf = (transactions: readonly Transaction[]) => committedBlock([coinbase, ...transactions]);
  const easiest = { ...params, limitBits: 0x2100ffff };

  it('are checked, and a wrong one condemns the block', () => {
    expect(verifyBlock(blockOf(entries), easiest)).toBeDefined();
    expect(brokenRule(() => verifyBlock(blockOf([...entries, forged]), easiest))).toBe('bad-sig');
  });

  it('are checked in steps, after all other rules', () => {
    const steps = new BlockVerification(blockOf(entries), easiest);
    expect(steps.step({ left: 0 })).toBeUndefined();
    expect(steps.step({ left: 2 })).toBeUndefined();
    const allowance = { left: 10 };
    expect(steps.step(allowance)).toBeDefined();
    expect(allowance.left).toBe(7);
    const twice = new BlockVerification(blockOf([forged, entries[0]!, entries[1]!, entries[0]!]), easiest);
    expect(brokenRule(() => twice.step({ left: 0 }))).toBe('txn-already-in-chain');
  });

  it('are not checked again where they are known, and are known afterwards', () => {
    const known = new Set(entries.slice(0, 3).map(({ id }) => id));
    const allowance = { left: 10 };
    expect(new BlockVerification(blockOf(entries), easiest, known).step(allowance)).toBeDefined();
    expect(allowance.left).toBe(8);
    expect(known).toEqual(new Set(entries.map(({ id }) => id)));
    expect(new BlockVerification(blockOf(entries), easiest, known).step({ left: 0 })).toBeDefined();
  });
});
