import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coinbases, damaged, dataTransactions, transactions, unicode } from '../../test/support/arbitraries.js';
import { rawDataBytes } from '../../test/support/consensus.js';
import { hash256 } from './hash.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { createCoinbase } from './coinbase.js';
import { FORBIDDEN_TRANSACTION_BYTES, MAX_TIMESTAMP_MS, createDataTransaction } from './data-entry.js';
import { encodeSignedTransaction } from './signed-entry.js';
import { decodeTransaction } from './transaction.js';

const sevens = (length: number): Buffer => Buffer.alloc(length, 7);
const ruleOf = (bytes: Uint8Array): string | undefined => brokenRule(() => decodeTransaction(bytes));
const hex = (text: string): Buffer => Buffer.from(text, 'hex');

/** Independent of hash.ts. */
function referenceId(bytes: Uint8Array): string {
  const once = createHash('sha256').update(bytes).digest();
  return createHash('sha256').update(once).digest().reverse().toString('hex');
}

describe('coinbase', () => {
  it('encodes kind, height, extra nonce and padded miner', () => {
    const coinbase = createCoinbase(0x01020304, 0x1112131415161718n, 'node-1');
    expect(coinbase.bytes.toString('hex')).toBe(
      '00' + '04030201' + '1817161514131211' + '6e6f64652d31' + '00'.repeat(58),
    );
    expect(coinbase.id).toBe(referenceId(coinbase.bytes));
  });

  it('takes the bounds of height and extra nonce, and nothing beyond', () => {
    const largest = createCoinbase(0xffffffff, 2n ** 64n - 1n, 'm');
    expect(decodeTransaction(largest.bytes)).toEqual(largest);
    expect(() => createCoinbase(2 ** 32, 0n, 'm')).toThrow(RangeError);
    expect(() => createCoinbase(-1, 0n, 'm')).toThrow(RangeError);
    expect(() => createCoinbase(0, 2n ** 64n, 'm')).toThrow(RangeError);
    expect(() => createCoinbase(0, -1n, 'm')).toThrow(RangeError);
  });

  it.each([
    ['empty', ''],
    ['64 ASCII letters', 'x'.repeat(64)],
    ['64 bytes in 3-byte letters and one more', `${'€'.repeat(21)}x`],
  ])('takes a miner that is %s', (_, miner) => {
    expect(decodeTransaction(createCoinbase(1, 2n, miner).bytes)).toMatchObject({ miner, height: 1, extraNonce: 2n });
  });

  it.each([
    ['65 ASCII letters', 'x'.repeat(65)],
    ['65 bytes in 33 letters', `${'é'.repeat(32)}x`],
    ['a NUL inside', 'a\0b'],
    ['a NUL at the end', 'a\0'],
    ['a lone surrogate', 'a\ud800'],
  ])('refuses a miner with %s', (_, miner) => {
    expect(() => createCoinbase(1, 2n, miner)).toThrow(RangeError);
  });

  it.each([
    ['a letter behind the padding', `61${'00'.repeat(62)}62`],
    ['a letter behind an empty name', `${'00'.repeat(63)}01`],
    ['invalid UTF-8', `ff${'00'.repeat(63)}`],
    ['a letter cut in two by the padding', `e282${'00'.repeat(62)}`],
    ['a letter cut in two by the end', `${'61'.repeat(62)}e282`],
  ])('does not decode a miner with %s', (_, padded) => {
    expect(ruleOf(hex(`00${'00'.repeat(12)}${padded}`))).toBe('bad-cb-miner');
  });
});

describe('data transaction', () => {
  it('encodes kind, timestamp, salt and data', () => {
    const transaction = createDataTransaction('héllo', 0x0102030405, sevens);
    expect(transaction.bytes.toString('hex')).toBe(
      '01' + '0504030201000000' + '10' + '07'.repeat(16) + '06' + '68c3a96c6c6f',
    );
    expect(transaction.id).toBe(referenceId(transaction.bytes));
    expect(transaction.id).toBe(hash256(transaction.bytes));
    expect(transaction).toMatchObject({ kind: 'data', timestampMs: 0x0102030405, salt: sevens(16), data: 'héllo' });
  });

  it('takes a longer salt where it would come to 64 bytes, and only there', () => {
    const sizes = [36, 37, 38].map((length) => {
      const { bytes, salt } = createDataTransaction('d'.repeat(length), 0, sevens);
      return [salt.length, bytes.length];
    });
    expect(sizes).toEqual([
      [16, 63],
      [17, 65],
      [16, 65],
    ]);
  });

  it('makes two entries of one string by the salt alone', () => {
    const [one, two] = [1, 2].map((fill) => createDataTransaction('same', 5, (length) => Buffer.alloc(length, fill)));
    expect(one!.id).not.toBe(two!.id);
  });

  it('refuses a string that UTF-8 cannot encode, rather than store another', () => {
    expect(brokenRule(() => createDataTransaction('\ud83d', 0, sevens))).toBe('bad-txn-data-encoding');
    expect(createDataTransaction('\ud83d\ude00', 0, sevens).data).toBe('😀');
  });

  it('takes timestamps up to the end of the year 9999 in whole milliseconds', () => {
    expect(MAX_TIMESTAMP_MS).toBe(Date.UTC(10_000, 0, 1) - 1);
    for (const timestampMs of [0, MAX_TIMESTAMP_MS]) {
      const transaction = createDataTransaction('x', timestampMs, sevens);
      expect(decodeTransaction(transaction.bytes)).toEqual(transaction);
      expect(new Date(timestampMs).toISOString()).toMatch(/^\d{4}-.*Z$/);
    }
    for (const timestampMs of [-1, 0.5, NaN, Infinity, MAX_TIMESTAMP_MS + 1]) {
      expect(() => createDataTransaction('x', timestampMs, sevens)).toThrow(RangeError);
    }
    expect(ruleOf(rawDataBytes(BigInt(MAX_TIMESTAMP_MS), sevens(0), sevens(1)))).toBeUndefined();
    expect(ruleOf(rawDataBytes(BigInt(MAX_TIMESTAMP_MS) + 1n, sevens(0), sevens(1)))).toBe('bad-txn-timestamp');
    expect(ruleOf(rawDataBytes(2n ** 64n - 1n, sevens(0), sevens(1)))).toBe('bad-txn-timestamp');
  });

  it.each([
    ['a byte that is never UTF-8', 'ff'],
    ['a lone continuation byte', '80'],
    ['an overlong NUL', 'c080'],
    ['a surrogate', 'eda080'],
    ['a code point above U+10FFFF', 'f4908080'],
    ['a letter cut in two', '61e282'],
  ])('does not decode data with %s', (_, data) => {
    expect(ruleOf(rawDataBytes(0n, sevens(1), hex(data)))).toBe('bad-txn-data-encoding');
  });

  it('keeps NUL, U+FEFF and U+10FFFF as they came', () => {
    const data = '\ufeff\0\u{10ffff}';
    expect(decodeTransaction(createDataTransaction(data, 0, sevens).bytes)).toMatchObject({ data });
  });

  it('leaves sizes to checkTransaction', () => {
    expect(decodeTransaction(rawDataBytes(0n, sevens(33), hex('')))).toMatchObject({ salt: sevens(33), data: '' });
    expect(decodeTransaction(rawDataBytes(0n, sevens(0), Buffer.alloc(20_000, 'x')))).toMatchObject({
      data: 'x'.repeat(20_000),
    });
  });

  it('refuses lengths that are not in their shortest form', () => {
    const good = '01' + '00'.repeat(8) + '01' + '07' + '01' + '61';
    expect(ruleOf(hex(good))).toBeUndefined();
    expect(ruleOf(hex('01' + '00'.repeat(8) + 'fd0100' + '07' + '01' + '61'))).toBe('bad-txn-encoding');
    expect(ruleOf(hex('01' + '00'.repeat(8) + '01' + '07' + 'fd0100' + '61'))).toBe('bad-txn-encoding');
  });
});

describe('decodeTransaction', () => {
  it('knows the kinds 0, 1 and 2 only', () => {
    const bytes = Buffer.from(createCoinbase(1, 1n, 'm').bytes);
    expect(bytes[0]).toBe(0);
    for (let kind = 3; kind < 256; kind++) {
      bytes[0] = kind;
      expect(ruleOf(bytes)).toBe('bad-txn-kind');
    }
  });

  it('refuses every proper prefix and every added byte', () => {
    for (const { bytes } of [createCoinbase(1, 1n, 'miner'), createDataTransaction('data', 1, sevens)]) {
      for (let length = 0; length < bytes.length; length++) {
        expect(ruleOf(bytes.subarray(0, length))).toBe('bad-txn-encoding');
      }
      expect(ruleOf(Buffer.concat([bytes, sevens(1)]))).toBe('bad-txn-encoding');
    }
  });

  it('keeps no hold on its input', () => {
    const original = createDataTransaction('data', 1, sevens);
    const input = Buffer.from(original.bytes);
    const decoded = decodeTransaction(input);
    input.fill(0);
    expect(decoded).toEqual(original);
  });

  it('goes there and back', () => {
    fc.assert(
      fc.property(transactions, (transaction) => {
        expect(decodeTransaction(transaction.bytes)).toEqual(transaction);
      }),
    );
  });

  it('has one encoding for each transaction, of arbitrary and of damaged bytes', () => {
    const start = fc.constantFrom(0, 1, 2);
    const arbitrary = fc
      .tuple(start, fc.uint8Array({ maxLength: 120 }))
      .map(([kind, rest]) => Buffer.from([kind, ...rest]));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 120 }),
      arbitrary,
      damaged(transactions.map((transaction) => transaction.bytes)),
    );
    const encodeAgain = (input: Uint8Array): Buffer => {
      const decoded = decodeTransaction(input);
      if (decoded.kind === 'coinbase') return createCoinbase(decoded.height, decoded.extraNonce, decoded.miner).bytes;
      if (decoded.kind === 'signed') return encodeSignedTransaction(decoded.data, decoded).bytes;
      return rawDataBytes(BigInt(decoded.timestampMs), decoded.salt, Buffer.from(decoded.data));
    };
    fc.assert(
      fc.property(bytes, (input) => {
        const broken = brokenRule(() => expect(encodeAgain(input)).toEqual(Buffer.from(input)));
        expect([
          undefined,
          'bad-txn-encoding',
          'bad-txn-kind',
          'bad-cb-miner',
          'bad-txn-timestamp',
          'bad-txn-data-encoding',
        ]).toContain(broken);
      }),
      { numRuns: 1000 },
    );
  });

  it('tells every two different transactions apart by id', () => {
    fc.assert(
      fc.property(coinbases, dataTransactions, dataTransactions, (coinbase, one, two) => {
        expect(coinbase.id).not.toBe(one.id);
        expect(one.id === two.id).toBe(one.bytes.equals(two.bytes));
      }),
    );
  });

  it('is never made to be 64 bytes', () => {
    fc.assert(
      fc.property(unicode, (data) => {
        expect(createDataTransaction(data, 0, sevens).bytes.length).not.toBe(FORBIDDEN_TRANSACTION_BYTES);
      }),
    );
    for (let length = 0; length < 300; length++) {
      expect(createDataTransaction('d'.repeat(length), 0, sevens).bytes.length).not.toBe(FORBIDDEN_TRANSACTION_BYTES);
    }
  });
});
