import { describe, expect, it } from 'vitest';
import { rawData } from '../../test/support/consensus.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { checkTransaction, checkTransactionSize } from './transaction.js';
import { createCoinbase } from './coinbase.js';
import { type Transaction } from './transaction.js';

const ruleOf = (transaction: Transaction): string | undefined => brokenRule(() => checkTransaction(transaction));

describe('checkTransaction', () => {
  it.each([
    [63, undefined],
    [64, 'bad-txn-64-bytes'],
    [65, undefined],
  ])('%i bytes: %s', (size, code) => {
    const transaction = rawData(20, 'd'.repeat(size - 31));
    expect(transaction.bytes.length).toBe(size);
    expect(ruleOf(transaction)).toBe(code);
    expect(brokenRule(() => checkTransactionSize(transaction))).toBe(code);
  });

  it.each([
    [0, undefined],
    [32, undefined],
    [33, 'bad-txn-salt'],
    [300, 'bad-txn-salt'],
  ])('%i bytes of salt: %s', (saltBytes, code) => {
    expect(ruleOf(rawData(saltBytes, 'data'))).toBe(code);
  });

  it.each([
    ['nothing', '', 'bad-txn-data-empty'],
    ['one byte', 'd', undefined],
    ['a NUL', '\0', undefined],
    ['16,384 bytes', 'd'.repeat(16_384), undefined],
    ['16,385 bytes', 'd'.repeat(16_385), 'bad-txn-data-length'],
    ['16,384 bytes in half as many letters', 'é'.repeat(8192), undefined],
    ['one byte more than these', `${'é'.repeat(8192)}d`, 'bad-txn-data-length'],
  ])('%s as data', (_, data, code) => {
    expect(ruleOf(rawData(16, data))).toBe(code);
  });

  it('says how much was too much', () => {
    expect(() => checkTransaction(rawData(33, 'd'))).toThrow(expect.objectContaining({ data: { bytes: 33 } }));
    expect(() => checkTransaction(rawData(0, 'é'.repeat(8193)))).toThrow(
      expect.objectContaining({ data: { bytes: 16_386 } }),
    );
  });

  it('asks of a coinbase nothing but its size', () => {
    expect(ruleOf(createCoinbase(1, 0n, ''))).toBeUndefined();
    expect(ruleOf({ ...createCoinbase(1, 0n, ''), bytes: Buffer.alloc(64) })).toBe('bad-txn-64-bytes');
  });
});
