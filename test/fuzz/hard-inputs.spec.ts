import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load-config.js';
import { ConfigError } from '../../src/config/node-config.js';
import { encodeVarint } from '../../src/consensus/codec.js';
import { encodeHeader } from '../../src/consensus/header.js';
import { isDialableFrom } from '../../src/peers/address.js';
import { decodeMessage, encodeMessage, type Body } from '../../src/peers/messages.js';
import { LIMITS, decodeWireBlock } from '../../src/peers/wire.js';
import { easyParams } from '../support/chain-builders.js';
import { rawDataBytes } from '../support/consensus.js';
import { runOne } from './fuzz.js';
import { cliTarget } from './cli-target.js';

/**
 * Inputs of the largest size that is let in, each made to be as much work as it can. None is timed: what grows with the
 * square of its size would take hours here, what recursed as deep as it is nested would end the process.
 */
const SIZE = LIMITS.messageBytes;

/** `pattern`, hex digits, over and over. */
function filled(bytes: number, pattern: string): Buffer {
  return Buffer.alloc(bytes, Buffer.from(pattern, 'hex'));
}

/** A message whose body number `field` has `content`. */
function bodyOf(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

describe('a message of the largest size', () => {
  it.each([
    ['addresses', 7],
    ['locator hashes', 10],
    ['headers', 11],
    ['block hashes', 12],
    ['blocks', 13],
    ['transactions', 15],
    ['ids', 19],
  ])('that is full of empty %s is refused before an object is made of each', (_, field) => {
    const bytes = bodyOf(field, filled(SIZE - 16, '0a00'));
    expect(() => decodeMessage(bytes)).toThrow(expect.objectContaining({ code: 'oversized-message' }));
  });

  it.each([
    ['bodies, each replacing the one before', filled(SIZE, '2200')],
    ['ids of the message', filled(SIZE, '0801')],
    ['unknown numbers', bodyOf(4, filled(SIZE - 16, '7801'))],
  ])('that is full of %s is refused', (_, bytes) => {
    expect(() => decodeMessage(bytes)).toThrow(expect.objectContaining({ code: 'oversized-message' }));
  });

  it.each([
    ['groups within groups', filled(SIZE, 'fb07')],
    ['groups within groups of a body', bodyOf(4, filled(SIZE - 16, 'fb07'))],
    ['the bytes of a varint that never ends', filled(SIZE, 'ff')],
    ['zeros', filled(SIZE, '00')],
  ])('that is full of %s is malformed', (_, bytes) => {
    expect(() => decodeMessage(bytes)).toThrow(expect.objectContaining({ code: 'malformed-message' }));
  });

  it('is taken when it is honest: every id that a full mempool has', () => {
    const ids = Array<Buffer>(LIMITS.mempoolIds).fill(Buffer.alloc(32, 7));
    const body: Body = { $case: 'mempool', value: { ids } };
    expect(decodeMessage(encodeMessage({ id: 1, inReplyTo: 0, body })).body).toEqual(body);
  });
});

it('a block of tiny transactions is refused for its size before they are read', () => {
  const transaction = rawDataBytes(0n, Buffer.alloc(0), Buffer.alloc(0));
  const count = Math.floor(SIZE / transaction.length) - 8;
  const transactions = Buffer.alloc(count * transaction.length, transaction);
  const bytes = Buffer.concat([encodeHeader(easyParams.genesis.header), encodeVarint(count), transactions]);
  expect(() => decodeWireBlock(bytes)).toThrow(expect.objectContaining({ code: 'bad-blk-length' }));
  const largest = Buffer.concat([encodeHeader(easyParams.genesis.header), encodeVarint(0xffff_ffff), transactions]);
  const cut = largest.subarray(0, easyParams.maxBlockBytes);
  expect(() => decodeWireBlock(cut)).toThrow(expect.objectContaining({ code: 'bad-blk-count' }));
});

it.each([':', '.', 'a.', '[', '[:', '1', '-'])('an address of %j without end is not one', (text) => {
  for (const address of [text.repeat(SIZE / 4), `${text.repeat(SIZE / 4)}:9000`]) {
    expect(isDialableFrom(address, '10.0.0.1')).toBe(false);
  }
});

it.each([
  ['arrays within arrays', '['.repeat(1_000_000), 'a = '],
  ['tables within tables', '{a='.repeat(300_000), 'a = '],
  ['a key of many parts', 'a.'.repeat(300_000), ''],
  ['a section of many parts', 'a.'.repeat(300_000), '['],
  ['a string that does not end', '"'.repeat(1_000_001), 'a = '],
  ['unknown keys', Array.from({ length: 10_000 }, (_, n) => `http_port${n} = 1`).join('\n'), '[node]\n'],
  ['unknown sections', Array.from({ length: 10_000 }, (_, n) => `[node${n}]`).join('\n'), ''],
  ['digits', '9'.repeat(1_000_000), 'a = '],
])('a configuration file of %s is refused', (_, filling, before) => {
  expect(() => parseConfig({ toml: `${before}${filling}` })).toThrow(ConfigError);
});

it('arguments without end are refused', async () => {
  const cli = cliTarget();
  for (const line of [
    `--${'x'.repeat(1_000_000)}`,
    'x'.repeat(1_000_000),
    `chain\0--limit\0${'9'.repeat(1_000_000)}`,
  ]) {
    expect(await runOne(cli, Buffer.from(line))).toBe('rejected');
  }
  await cli.close?.();
});
