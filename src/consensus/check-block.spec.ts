import { describe, expect, it } from 'vitest';
import { committedBlock, fakeHash, rawData } from '../../test/support/consensus.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { createBlock, type Block } from './block.js';
import { checkBlock, checkBlockContext, checkConnect } from './check-block.js';
import { ZERO_HASH, hashToBytes } from './codec.js';
import { createCoinbase } from './coinbase.js';
import { type Transaction } from './transaction.js';

const LIMITS = { maxBlockBytes: 1_000_000 };
const coinbase = createCoinbase(5, 1n, 'miner');
const [a, b, c] = ['a', 'b', 'c'].map((data) => rawData(16, data)) as [Transaction, Transaction, Transaction];
const ruleOf = (block: Block, limits = LIMITS): string | undefined => brokenRule(() => checkBlock(block, limits));
const ruleOfList = (...transactions: Transaction[]): string | undefined => ruleOf(committedBlock(transactions));

describe('checkBlock', () => {
  it('takes a coinbase alone and with entries', () => {
    expect(ruleOfList(coinbase)).toBeUndefined();
    expect(ruleOfList(coinbase, a)).toBeUndefined();
    expect(ruleOfList(coinbase, a, b, c)).toBeUndefined();
  });

  it('holds the body to the Merkle root of the header', () => {
    const { header } = committedBlock([coinbase, a, b]);
    for (const list of [[], [coinbase], [coinbase, a], [coinbase, b, a], [coinbase, a, c], [a, b]]) {
      expect(ruleOf(createBlock(header, list))).toBe('bad-txnmrklroot');
    }
    expect(ruleOf(createBlock({ ...header, merkleRoot: ZERO_HASH }, [coinbase, a, b]))).toBe('bad-txnmrklroot');
  });

  it('tells a body whose tail was repeated (CVE-2012-2459) from the honest one of the same header', () => {
    const honest = committedBlock([coinbase, a, b]);
    const forged = createBlock(honest.header, [coinbase, a, b, b]);
    expect(forged.hash).toBe(honest.hash);
    expect(ruleOf(honest)).toBeUndefined();
    expect(ruleOf(forged)).toBe('bad-txns-duplicate');
  });

  it('tells a body that is an inner Merkle row read as transactions (CVE-2017-12842)', () => {
    // 64 bytes that are an entry; in the attack, the miner of the honest block searched for ids that make them up.
    const forged = rawData(20, 'd'.repeat(33));
    expect(forged.bytes.length).toBe(64);
    expect(ruleOfList(forged)).toBe('bad-txn-64-bytes');
    expect(ruleOfList(forged, rawData(20, 'e'.repeat(33)))).toBe('bad-txn-64-bytes');
    expect(ruleOfList(coinbase, forged)).toBe('bad-txn-64-bytes');
    // The ids of an honest pair are such 64 bytes: their hash, as an id, is the honest root.
    const honest = committedBlock([coinbase, a]);
    const row = Buffer.concat([coinbase, a].map(({ id }) => hashToBytes(id)));
    const pair: Transaction = { ...rawData(0, 'd'), bytes: row, id: honest.header.merkleRoot };
    expect(ruleOf(createBlock(honest.header, [pair]))).toBe('bad-txn-64-bytes');
  });

  it('bounds the bytes of the whole block', () => {
    const block = committedBlock([coinbase, a]);
    expect(ruleOf(block, { maxBlockBytes: block.bytes.length })).toBeUndefined();
    expect(ruleOf(block, { maxBlockBytes: block.bytes.length - 1 })).toBe('bad-blk-length');
  });

  it('asks for a coinbase in the first place', () => {
    expect(ruleOfList()).toBe('bad-cb-missing');
    expect(ruleOfList(a)).toBe('bad-cb-missing');
    expect(ruleOfList(a, coinbase)).toBe('bad-cb-missing');
  });

  it('takes no coinbase but in the first place', () => {
    const second = createCoinbase(5, 2n, 'miner');
    expect(ruleOfList(coinbase, second)).toBe('bad-cb-multiple');
    expect(ruleOfList(coinbase, a, b, second)).toBe('bad-cb-multiple');
    expect(ruleOfList(coinbase, a, coinbase)).toBe('bad-cb-multiple');
  });

  it('checks every transaction', () => {
    expect(ruleOfList(coinbase, rawData(33, 'd'))).toBe('bad-txn-salt');
    expect(ruleOfList(coinbase, a, rawData(0, ''))).toBe('bad-txn-data-empty');
    expect(ruleOfList(coinbase, a, b, rawData(0, 'd'.repeat(16_385)))).toBe('bad-txn-data-length');
  });

  it('takes no transaction twice, siblings in the tree or not', () => {
    expect(ruleOfList(coinbase, a, b, a)).toBe('txn-already-in-chain');
    expect(ruleOfList(coinbase, a, a)).toBe('txn-already-in-chain');
    expect(ruleOfList(coinbase, b, a, a)).toBe('bad-txns-duplicate');
  });

  it('names first what speaks of the body, then what the header answers for', () => {
    const forged = rawData(20, 'd'.repeat(33));
    const none = { maxBlockBytes: 0 };
    const wrongRoot = { ...committedBlock([]).header, merkleRoot: fakeHash(1) };
    expect(ruleOf(createBlock(wrongRoot, [forged, forged]), none)).toBe('bad-txnmrklroot');
    expect(ruleOf(committedBlock([forged, forged]), none)).toBe('bad-txns-duplicate');
    expect(ruleOf(committedBlock([a, forged]), none)).toBe('bad-txn-64-bytes');
    expect(ruleOf(committedBlock([a, rawData(0, '')]), none)).toBe('bad-blk-length');
    expect(ruleOf(committedBlock([a, rawData(0, '')]))).toBe('bad-cb-missing');
    expect(ruleOf(committedBlock([coinbase, rawData(0, ''), coinbase]))).toBe('bad-txn-data-empty');
  });
});

describe('checkBlockContext', () => {
  const ruleAt = (block: Block, height: number): string | undefined =>
    brokenRule(() => checkBlockContext(block, height));

  it('holds the coinbase to the height of the block', () => {
    const block = committedBlock([coinbase, a]);
    expect(ruleAt(block, 5)).toBeUndefined();
    expect(ruleAt(block, 4)).toBe('bad-cb-height');
    expect(ruleAt(block, 6)).toBe('bad-cb-height');
    expect(() => checkBlockContext(block, 6)).toThrow(expect.objectContaining({ data: { found: 5, expected: 6 } }));
  });

  it('does not take a block without a coinbase', () => {
    expect(ruleAt(committedBlock([]), 0)).toBe('bad-cb-height');
    expect(ruleAt(committedBlock([a]), 0)).toBe('bad-cb-height');
    expect(() => checkBlockContext(committedBlock([a]), 0)).toThrow(
      expect.objectContaining({ data: { found: -1, expected: 0 } }),
    );
  });
});

describe('checkConnect', () => {
  const block = committedBlock([coinbase, a, b]);

  it('asks after every transaction, the coinbase too', () => {
    const asked: string[] = [];
    checkConnect(block, (id) => {
      asked.push(id);
      return false;
    });
    expect(asked).toEqual([coinbase.id, a.id, b.id]);
  });

  it.each([
    ['coinbase', coinbase.id],
    ['first entry', a.id],
    ['last entry', b.id],
  ])('refuses a block whose %s stands in the chain already', (_, known) => {
    expect(brokenRule(() => checkConnect(block, (id) => id === known))).toBe('txn-already-in-chain');
    expect(() => checkConnect(block, (id) => id === known)).toThrow(expect.objectContaining({ data: { id: known } }));
  });
});
