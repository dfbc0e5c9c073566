import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blocks, damaged } from '../../test/support/arbitraries.js';
import { committedBlock, rawData, rawDataBytes } from '../../test/support/consensus.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { createBlock, decodeBlock } from './block.js';
import { HEADER_BYTES, encodeHeader, hashHeader } from './header.js';
import { createCoinbase } from './coinbase.js';

const ruleOf = (bytes: Uint8Array): string | undefined => brokenRule(() => decodeBlock(bytes));
const coinbase = createCoinbase(1, 1n, 'miner');
const entry = rawData(16, 'entry');
const block = committedBlock([coinbase, entry]);
const header = block.bytes.subarray(0, HEADER_BYTES);

describe('block', () => {
  it('is header, count and transactions, named by its header', () => {
    const expected = Buffer.concat([encodeHeader(block.header), Buffer.from([2]), coinbase.bytes, entry.bytes]);
    expect(block.bytes).toEqual(expected);
    expect(block.hash).toBe(hashHeader(block.header));
    expect(decodeBlock(expected)).toEqual(block);
  });

  it.each([
    [0, 81],
    [252, 81 + 252 * entry.bytes.length],
    [253, 83 + 253 * entry.bytes.length],
  ])('counts %i transactions', (count, size) => {
    const many = createBlock(
      block.header,
      Array.from({ length: count }, () => entry),
    );
    expect(many.bytes.length).toBe(size);
    expect(decodeBlock(many.bytes).transactions).toEqual(many.transactions);
  });

  it('refuses every proper prefix: in the header by its code, behind it by the body', () => {
    for (let length = 0; length < block.bytes.length; length++) {
      const expected = length < HEADER_BYTES ? 'bad-header-encoding' : 'bad-blk-encoding';
      expect(ruleOf(block.bytes.subarray(0, length))).toBe(expected);
    }
  });

  it.each([
    ['an added byte', Buffer.concat([block.bytes, Buffer.alloc(1)]), 'bad-blk-encoding'],
    [
      'a count above what follows',
      Buffer.concat([header, Buffer.from([3]), block.bytes.subarray(81)]),
      'bad-blk-encoding',
    ],
    [
      'a count below what follows',
      Buffer.concat([header, Buffer.from([1]), block.bytes.subarray(81)]),
      'bad-blk-encoding',
    ],
    ['a count of 2^32 - 1', Buffer.concat([header, Buffer.from('feffffffff', 'hex')]), 'bad-blk-count'],
    [
      'a count in 3 bytes',
      Buffer.concat([header, Buffer.from('fd0200', 'hex'), block.bytes.subarray(81)]),
      'bad-blk-encoding',
    ],
    ['a transaction of kind 3', Buffer.concat([header, Buffer.from([1, 3])]), 'bad-txn-kind'],
    [
      'a late timestamp',
      Buffer.concat([header, Buffer.from([1]), rawDataBytes(2n ** 60n, Buffer.alloc(0), Buffer.alloc(1))]),
      'bad-txn-timestamp',
    ],
    [
      'data that is not UTF-8',
      Buffer.concat([header, Buffer.from([1]), rawDataBytes(0n, Buffer.alloc(0), Buffer.from([0xff]))]),
      'bad-txn-data-encoding',
    ],
    ['a bad miner', Buffer.concat([header, Buffer.from([1]), Buffer.alloc(76), Buffer.from([1])]), 'bad-cb-miner'],
  ])('refuses %s', (_, bytes, code) => {
    expect(ruleOf(bytes)).toBe(code);
  });

  it('keeps no hold on its input', () => {
    const input = Buffer.from(block.bytes);
    const decoded = decodeBlock(input);
    input.fill(0);
    expect(decoded).toEqual(block);
  });

  it('goes there and back', () => {
    fc.assert(
      fc.property(blocks, (any) => {
        expect(decodeBlock(any.bytes)).toEqual(any);
      }),
    );
  });

  it('has one encoding, and throws rule errors only, of arbitrary and of damaged bytes', () => {
    const body = fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.concat([header, bytes]));
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), body, damaged(blocks.map((any) => any.bytes)));
    fc.assert(
      fc.property(bytes, (input) => {
        brokenRule(() => {
          const decoded = decodeBlock(input);
          expect(createBlock(decoded.header, decoded.transactions).bytes).toEqual(Buffer.from(input));
          expect(decoded.bytes).toEqual(Buffer.from(input));
        });
      }),
      { numRuns: 500 },
    );
  });
});
