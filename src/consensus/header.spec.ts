import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { damaged, headers } from '../../test/support/arbitraries.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { ZERO_HASH } from './codec.js';
import { HEADER_BYTES, decodeHeader, encodeHeader, hashHeader, type BlockHeader } from './header.js';

/** Bitcoin's genesis block, which everyone knows by heart. */
const GENESIS: BlockHeader = {
  version: 1,
  previousHash: ZERO_HASH,
  merkleRoot: '4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b',
  time: 1231006505,
  bits: 0x1d00ffff,
  nonce: 2083236893,
};

describe('header', () => {
  it("encodes and hashes Bitcoin's genesis block", () => {
    expect(encodeHeader(GENESIS).toString('hex')).toBe(
      `01000000${ZERO_HASH}3ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c`,
    );
    expect(hashHeader(GENESIS)).toBe('000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f');
  });

  it('puts every field where Bitcoin has it', () => {
    const bytes = encodeHeader({
      version: -2,
      previousHash: 'bb'.repeat(31) + 'aa',
      merkleRoot: 'dd'.repeat(31) + 'cc',
      time: 0xfedcba98,
      bits: 0xf0e0d0c0,
      nonce: 0xffffffff,
    });
    expect(bytes.toString('hex')).toBe(`feffffffaa${'bb'.repeat(31)}cc${'dd'.repeat(31)}98badcfec0d0e0f0ffffffff`);
  });

  it.each([0, 79, 81, 160])('refuses %i bytes', (length) => {
    expect(brokenRule(() => decodeHeader(Buffer.alloc(length)))).toBe('bad-header-encoding');
  });

  it('does not encode a hash that is none', () => {
    expect(() => encodeHeader({ ...GENESIS, previousHash: 'abc' })).toThrow(RangeError);
    expect(() => encodeHeader({ ...GENESIS, merkleRoot: '' })).toThrow(RangeError);
  });

  it('goes there and back', () => {
    fc.assert(
      fc.property(headers, (header) => {
        expect(decodeHeader(encodeHeader(header))).toEqual(header);
      }),
    );
  });

  it('reads any 80 bytes, and writes the same', () => {
    const bytes = fc.uint8Array({ minLength: HEADER_BYTES, maxLength: HEADER_BYTES });
    fc.assert(fc.property(bytes, (input) => encodeHeader(decodeHeader(input)).equals(input)));
  });

  it('throws nothing but its own code at bad bytes', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), damaged(headers.map(encodeHeader)));
    fc.assert(
      fc.property(bytes, (input) => {
        const expected = input.length === HEADER_BYTES ? undefined : 'bad-header-encoding';
        expect(brokenRule(() => decodeHeader(input))).toBe(expected);
      }),
    );
  });
});
