import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entry, genesisNode, mineChain, mineOn } from '../../test/support/chain-builders.js';
import { encodeHeader } from '../consensus/header.js';
import { RuleError } from '../consensus/rule-error.js';
import {
  FIRST_BODY_FIELD,
  LAST_BODY_FIELD,
  WireError,
  decodeMessage,
  encodeMessage,
  isBulk,
  type Body,
} from './messages.js';
import {
  LIMITS,
  checkBlockCount,
  decodeWireBlock,
  decodeHashes,
  decodeHeaders,
  decodeTip,
  decodeTransactions,
  encodeHashes,
  encodeTip,
  inBatches,
} from './wire.js';

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof WireError || error instanceof RuleError) return error.code;
    throw error;
  }
  return 'none';
}

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'));

describe('tips', () => {
  it('come back as they were sent, also after a long chain', () => {
    const { nodes } = mineChain(genesisNode(), 3);
    for (const node of [genesisNode(), ...nodes, { ...nodes[2]!, chainWork: 2n ** 255n + 1n }]) {
      const { length, chainWork, hash: tipHash } = decodeTip(encodeTip(node));
      expect({ length, chainWork, tipHash }).toEqual({
        length: node.height + 1,
        chainWork: node.chainWork,
        tipHash: node.hash,
      });
    }
  });

  it('take chain work of no byte for zero', () => {
    expect(decodeTip({ length: 1, chainWork: Buffer.alloc(0), hash: Buffer.alloc(32) }).chainWork).toBe(0n);
  });

  it('are malformed where a field has no sense', () => {
    const good = encodeTip(genesisNode());
    expect(codeOf(() => decodeTip(undefined))).toBe('malformed-message');
    expect(codeOf(() => decodeTip({ ...good, length: 0 }))).toBe('malformed-message');
    expect(codeOf(() => decodeTip({ ...good, chainWork: Buffer.alloc(33) }))).toBe('malformed-message');
    expect(codeOf(() => decodeTip({ ...good, hash: Buffer.alloc(31) }))).toBe('malformed-message');
  });
});

describe('lists', () => {
  it('of hashes come back as they were sent', () => {
    fc.assert(
      fc.property(fc.array(hash, { maxLength: 20 }), (hashes) => {
        expect(decodeHashes(encodeHashes(hashes), 20)).toEqual(hashes);
      }),
    );
  });

  it('are refused above their limits, before anything in them is read', () => {
    const many = (count: number): { raw: Buffer }[] => Array.from({ length: count }, () => ({ raw: Buffer.alloc(0) }));
    expect(codeOf(() => decodeHashes(Array<Uint8Array>(3).fill(Buffer.alloc(1)), 2))).toBe('oversized-message');
    expect(codeOf(() => decodeHeaders({ headers: many(LIMITS.headers + 1) }))).toBe('oversized-message');
    expect(codeOf(() => checkBlockCount(LIMITS.blocksRequested + 1))).toBe('oversized-message');
    expect(codeOf(() => decodeTransactions({ transactions: many(LIMITS.transactions + 1) }))).toBe('oversized-message');
  });

  it('of headers, blocks and transactions come back as they were sent', () => {
    const { blocks } = mineChain(genesisNode(), 3, () => ['one', 'two']);
    const headers = decodeHeaders({ headers: blocks.map(({ header }) => ({ raw: encodeHeader(header) })) });
    expect(headers).toEqual(blocks.map(({ hash: blockHash, header }) => ({ hash: blockHash, header })));
    expect(blocks.map(({ bytes }) => decodeWireBlock(bytes))).toEqual(blocks);
    const sent = [entry('a'), entry('b')];
    expect([...decodeTransactions({ transactions: sent.map(({ bytes }) => ({ raw: bytes })) })]).toEqual(sent);
  });

  it('of any bytes only ever break a rule', () => {
    const good = mineOn(genesisNode(), ['some data']);
    const mutated = fc
      .tuple(
        fc.constantFrom(good.bytes, good.transactions[1]!.bytes),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 3 }),
      )
      .map(([bytes, at, patch]) => {
        const copy = Buffer.from(bytes);
        copy.set(patch.subarray(0, copy.length - (at % copy.length)), at % copy.length);
        return copy;
      });
    const raw = fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated).map((bytes) => ({ raw: Buffer.from(bytes) }));
    fc.assert(
      fc.property(fc.array(raw, { maxLength: 3 }), (list) => {
        codeOf(() => decodeHeaders({ headers: list }));
        for (const item of list) codeOf(() => decodeWireBlock(item.raw));
        codeOf(() => decodeTransactions({ transactions: list }));
        codeOf(() =>
          decodeHashes(
            list.map((item) => item.raw),
            2,
          ),
        );
        codeOf(() =>
          decodeTip({
            length: list.length,
            chainWork: list[0]?.raw ?? Buffer.alloc(0),
            hash: list[1]?.raw ?? Buffer.alloc(32),
          }),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('inBatches', () => {
  const items = (...sizes: number[]): { bytes: Buffer }[] => sizes.map((size) => ({ bytes: Buffer.alloc(size) }));
  const sizesOf = (batches: { bytes: Buffer }[][]): number[][] =>
    batches.map((batch) => batch.map(({ bytes }) => bytes.length));
  const MIB = 1024 * 1024;

  it('keeps to the byte limit, with one item at the least', () => {
    expect(sizesOf(inBatches(items(MIB, MIB, 1, 3 * MIB, 1)))).toEqual([[MIB, MIB], [1], [3 * MIB], [1]]);
    expect(inBatches([])).toEqual([]);
  });

  it('keeps to the count limit', () => {
    const batches = inBatches(items(...Array<number>(4_001).fill(1)));
    expect(batches.map((batch) => batch.length)).toEqual([2_000, 2_000, 1]);
  });
});

describe('messages', () => {
  const tip = encodeTip(genesisNode());
  const raw = Buffer.from('raw');
  const bodies: Body[] = [
    {
      $case: 'hello',
      value: {
        protocolVersion: 1,
        genesisHash: Buffer.alloc(32, 1),
        nodeId: 'node-1',
        instanceNonce: 2n ** 64n - 1n,
        advertisedAddress: ':9091',
        tip,
        userAgent: 'test',
        features: ['unsupported', 'of-tomorrow'],
        publicKey: Buffer.alloc(32, 2),
        nonce: Buffer.alloc(32, 3),
      },
    },
    { $case: 'proof', value: { signature: Buffer.alloc(64, 4) } },
    { $case: 'ping', value: { tip } },
    { $case: 'pong', value: { tip } },
    { $case: 'getPeers', value: {} },
    { $case: 'peers', value: { peers: [{ address: 'a:1' }] } },
    { $case: 'getChainLength', value: {} },
    { $case: 'chainLength', value: { tip } },
    { $case: 'getHeaders', value: { locator: [raw], stopHash: raw } },
    { $case: 'headers', value: { headers: [{ raw }] } },
    { $case: 'getBlocks', value: { hashes: [raw], startIndex: 3, limit: 4 } },
    { $case: 'blocks', value: { blocks: [{ raw }] } },
    { $case: 'newBlock', value: { block: { raw }, tip } },
    { $case: 'newTransactions', value: { transactions: [{ raw }] } },
    { $case: 'getTransactions', value: { ids: [raw] } },
    { $case: 'transactions', value: { transactions: [{ raw }] } },
    { $case: 'getMempool', value: {} },
    { $case: 'mempool', value: { ids: [raw] } },
    { $case: 'verdict', value: { result: 1, code: 'high-hash', detail: 'no' } },
    { $case: 'goodbye', value: { reason: 'shutting down' } },
    { $case: 'unsupported', value: {} },
  ];

  it.each(bodies.map((body) => [body.$case, body] as const))('%s comes back as it was sent', (_, body) => {
    const message = { id: 0xffff_ffff, inReplyTo: 7, body };
    expect(decodeMessage(encodeMessage(message))).toEqual(message);
  });

  it('have the bodies that the .proto lists, and no other', () => {
    const proto = readFileSync(new URL('../../proto/minichain/v1/peer.proto', import.meta.url), 'utf8');
    const oneof = /oneof body \{([^}]*)\}/.exec(proto)![1]!;
    const fields = [...oneof.matchAll(/= (\d+);/g)].map(([, number]) => Number(number));
    expect(fields).toHaveLength(bodies.length);
    expect([Math.min(...fields), Math.max(...fields)]).toEqual([FIRST_BODY_FIELD, LAST_BODY_FIELD]);
  });

  it.each([
    ['no body', ''],
    ['no body but an id', '0805'],
    ['a body with an unknown number', '0805fa3e03010203'],
    ['a body with a known number and another type', '08051801'],
  ])('with %s are well formed, but unknown', (_, hex) => {
    const { id, body } = decodeMessage(Buffer.from(hex, 'hex'));
    expect([id, body]).toEqual([hex === '' ? 0 : 5, undefined]);
  });

  it('of an unknown kind may hold as many bytes as fit, for nothing is made of them', () => {
    const body = Buffer.alloc(1_000_000, Buffer.from('0a00', 'hex'));
    const message = Buffer.concat([Buffer.from('fa3ec0843d', 'hex'), body]);
    expect(decodeMessage(message).body).toBeUndefined();
    // The same bytes as a list that we know would become half a million objects.
    expect(codeOf(() => decodeMessage(Buffer.concat([Buffer.from('3ac0843d', 'hex'), body])))).toBe(
      'oversized-message',
    );
  });

  it('of a known kind may have fields that we do not know, in the body and beside it', () => {
    const known = encodeMessage({ id: 1, inReplyTo: 0, body: { $case: 'goodbye', value: { reason: 'bye' } } });
    const longer = Buffer.from(known);
    // The body is the last field: one more field in it makes it six bytes longer.
    longer[longer.indexOf(0xaa) + 2]! += 6;
    const message = Buffer.concat([longer, Buffer.from('9a0603aabbcc', 'hex'), Buffer.from('f83e07', 'hex')]);
    expect(decodeMessage(message).body).toEqual({ $case: 'goodbye', value: { reason: 'bye' } });
  });

  it('that carry much travel in the bulk lane, announcements do not', () => {
    const bulk = bodies.map(({ $case }) => $case).filter(isBulk);
    expect(bulk).toEqual(['peers', 'headers', 'blocks', 'transactions', 'mempool']);
  });

  it('of a full answer stay below the size limit', () => {
    const largest = encodeMessage({
      id: 1,
      inReplyTo: 1,
      body: { $case: 'mempool', value: { ids: Array<Buffer>(LIMITS.mempoolIds).fill(Buffer.alloc(32, 9)) } },
    });
    expect(largest.length).toBeLessThan(LIMITS.messageBytes);
    expect(LIMITS.blocksBytes + 1_048_576 + 20 * LIMITS.blocksRequested).toBeLessThan(LIMITS.messageBytes);
  });
});
