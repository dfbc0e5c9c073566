import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashes, uint32 } from '../../test/support/arbitraries.js';
import { brokenRule } from '../../test/support/rule-code.js';
import { ByteReader, ZERO_HASH, encodeVarint, hashFromBytes, hashToBytes, isHash, varintLength } from './codec.js';
import { RuleError } from './rule-error.js';

const reader = (hex: string): ByteReader => new ByteReader(Buffer.from(hex, 'hex'), 'bad-blk-encoding');

describe('hash', () => {
  const internal = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
  const shown = '1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100';

  it('is shown byte-reversed, and neither way changes its input', () => {
    const copy = Buffer.from(internal);
    expect(hashFromBytes(copy)).toBe(shown);
    expect(copy).toEqual(internal);
    expect(hashToBytes(shown)).toEqual(internal);
  });

  it('takes any 32 bytes there and back', () => {
    fc.assert(fc.property(hashes, (hash) => isHash(hash) && hashFromBytes(hashToBytes(hash)) === hash));
  });

  it.each([
    ['empty', ''],
    ['62 digits', shown.slice(2)],
    ['63 digits', shown.slice(1)],
    ['65 digits', `${shown}0`],
    ['66 digits', `${shown}00`],
    ['a bad last digit', `${shown.slice(1)}g`],
    ['a bad first digit', `g${shown.slice(1)}`],
  ])('refuses to make bytes of %s', (_, text) => {
    expect(() => hashToBytes(text)).toThrow(RangeError);
    expect(isHash(text)).toBe(false);
  });

  it('is lower case and nothing else', () => {
    expect(isHash(shown)).toBe(true);
    expect(isHash(ZERO_HASH)).toBe(true);
    expect(isHash(shown.toUpperCase())).toBe(false);
    expect(isHash(` ${shown.slice(1)}`)).toBe(false);
    expect(isHash(`${shown}\n`)).toBe(false);
  });
});

describe('CompactSize', () => {
  const cases: [number, string][] = [
    [0, '00'],
    [1, '01'],
    [0xfc, 'fc'],
    [0xfd, 'fdfd00'],
    [0xfe, 'fdfe00'],
    [0xff, 'fdff00'],
    [0x100, 'fd0001'],
    [0xffff, 'fdffff'],
    [0x10000, 'fe00000100'],
    [0xffffffff, 'feffffffff'],
  ];

  it.each(cases)('%i is %s', (value, hex) => {
    expect(encodeVarint(value).toString('hex')).toBe(hex);
    expect(varintLength(value)).toBe(hex.length / 2);
    const bytes = reader(hex);
    expect(bytes.varint()).toBe(value);
    expect(bytes.remaining).toBe(0);
  });

  it.each([-1, 2 ** 32])('has no form for %i', (value) => {
    expect(() => encodeVarint(value)).toThrow(RangeError);
  });

  it.each([
    ['0 in 3 bytes', 'fd0000'],
    ['0xfc in 3 bytes', 'fdfc00'],
    ['0 in 5 bytes', 'fe00000000'],
    ['0xfd in 5 bytes', 'fefd000000'],
    ['0xffff in 5 bytes', 'feffff0000'],
    ['1 in 9 bytes', 'ff0100000000000000'],
    ['2^32 in 9 bytes', 'ff0000000001000000'],
  ])('refuses %s', (_, hex) => {
    expect(brokenRule(() => reader(hex).varint())).toBe('bad-blk-encoding');
  });

  it.each(['', 'fd', 'fdff', 'fe', 'fe000001', 'ff'])('refuses the cut-off %j', (hex) => {
    expect(brokenRule(() => reader(hex).varint())).toBe('bad-blk-encoding');
  });

  it('goes there and back, in the length that was foretold', () => {
    const value = fc.oneof(fc.nat({ max: 0x200 }), fc.nat({ max: 0x20000 }), uint32);
    fc.assert(
      fc.property(value, (number) => {
        const bytes = encodeVarint(number);
        expect(bytes.length).toBe(varintLength(number));
        expect(new ByteReader(bytes, 'bad-txn-encoding').varint()).toBe(number);
      }),
    );
  });

  it('has one form for each number: what can be read is what would be written', () => {
    const first = fc.oneof(fc.constantFrom(0xfc, 0xfd, 0xfe, 0xff), fc.nat({ max: 255 }));
    const rest = fc.array(fc.oneof(fc.constant(0), fc.constant(0xff), fc.nat({ max: 255 })), { maxLength: 8 });
    fc.assert(
      fc.property(first, rest, (byte, bytes) => {
        const input = Buffer.from([byte, ...bytes]);
        const from = new ByteReader(input, 'bad-txn-encoding');
        let value = -1;
        const broken = brokenRule(() => (value = from.varint()));
        if (broken === undefined) expect(encodeVarint(value)).toEqual(input.subarray(0, from.offset));
        else expect(broken).toBe('bad-txn-encoding');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('ByteReader', () => {
  it('reads little-endian fields in turn', () => {
    const bytes = reader('80' + '04030201' + 'feffffff' + '0807060504030281' + 'aabbcc');
    expect(bytes.uint8()).toBe(0x80);
    expect(bytes.uint32()).toBe(0x01020304);
    expect(bytes.int32()).toBe(-2);
    expect(bytes.uint64()).toBe(0x8102030405060708n);
    expect([bytes.offset, bytes.remaining]).toEqual([17, 3]);
    expect(bytes.bytes(2).toString('hex')).toBe('aabb');
    expect(bytes.since(16).toString('hex')).toBe('81aabb');
    expect([bytes.offset, bytes.remaining]).toEqual([19, 1]);
  });

  it.each<[string, number, (bytes: ByteReader) => unknown]>([
    ['uint8', 1, (bytes) => bytes.uint8()],
    ['uint32', 4, (bytes) => bytes.uint32()],
    ['int32', 4, (bytes) => bytes.int32()],
    ['uint64', 8, (bytes) => bytes.uint64()],
    ['bytes', 5, (bytes) => bytes.bytes(5)],
  ])('%s takes its %i bytes, and fails by one fewer without moving on', (_, length, read) => {
    const enough = new ByteReader(Buffer.alloc(length), 'bad-txn-encoding');
    read(enough);
    expect(enough.remaining).toBe(0);
    const short = new ByteReader(Buffer.alloc(length - 1), 'bad-header-encoding');
    expect(brokenRule(() => read(short))).toBe('bad-header-encoding');
    expect(short.offset).toBe(0);
  });

  it('says where it failed', () => {
    const bytes = reader('0000000000');
    bytes.uint32();
    const failure = new RuleError('bad-blk-encoding', 'cannot be decoded: ends 3 bytes too early (at byte 4)', {
      offset: 4,
    });
    expect(() => bytes.uint32()).toThrow(failure);
    expect(() => bytes.end()).toThrow('1 bytes too many (at byte 4)');
  });

  it('is at its end exactly when everything was read', () => {
    const bytes = reader('00');
    expect(brokenRule(() => bytes.end())).toBe('bad-blk-encoding');
    bytes.uint8();
    expect(brokenRule(() => bytes.end())).toBeUndefined();
  });

  it('reads a part of a bigger buffer as that part only', () => {
    const part = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
    const bytes = new ByteReader(part, 'bad-blk-encoding');
    expect([...bytes.bytes(3)]).toEqual([1, 2, 3]);
    expect(brokenRule(() => bytes.uint8())).toBe('bad-blk-encoding');
  });
});
