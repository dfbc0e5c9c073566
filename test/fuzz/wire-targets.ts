import * as fc from 'fast-check';
import { readHello } from '../../src/peers/handshake.js';
import { PeerMessage } from '../../src/peers/generated/minichain/v1/peer.js';
import { decodeMessage, encodeMessage, type Body } from '../../src/peers/messages.js';
import {
  LIMITS,
  checkBlockCount,
  decodeWireBlock,
  decodeHash,
  decodeHashes,
  decodeHeaders,
} from '../../src/peers/wire.js';
import { decodeTip, decodeTransactions } from '../../src/peers/wire.js';
import { blocks, damaged, headers, transactions, uint32, unicode } from '../support/arbitraries.js';
import { genesisNode } from '../support/chain-builders.js';
import { encodeHeader } from '../../src/consensus/header.js';
import type { FuzzTarget } from './fuzz.js';
import { check, outcomeOf } from './outcome.js';
import { recordConversation } from './record.js';

const genesis = genesisNode();

const bytes = (arbitrary: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Buffer> =>
  arbitrary.map((value) => Buffer.from(value));
const hash = fc.oneof(
  { arbitrary: bytes(fc.uint8Array({ minLength: 32, maxLength: 32 })), weight: 4 },
  { arbitrary: bytes(fc.uint8Array({ maxLength: 40 })), weight: 1 },
);
const raw = (valid: fc.Arbitrary<Buffer>): fc.Arbitrary<{ raw: Buffer }> =>
  fc.oneof(valid, damaged(valid)).map((value) => ({ raw: value }));
const many = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 4 });
const rawBlocks = raw(blocks.map((block) => block.bytes));
const rawTransactions = many(raw(transactions.map((transaction) => transaction.bytes)));
const tip = fc.option(fc.record({ length: uint32, chainWork: bytes(fc.uint8Array({ maxLength: 40 })), hash }), {
  nil: undefined,
});
const hello = fc.record({
  protocolVersion: fc.oneof(fc.constant(1), uint32),
  genesisHash: fc.oneof(fc.constant(Buffer.from(genesis.hash, 'hex').reverse()), hash),
  nodeId: fc.oneof(unicode, fc.constant('them')),
  instanceNonce: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  advertisedAddress: fc.oneof(unicode, fc.constantFrom(':9000', 'host:1', '[::1]:9', '0.0.0.0:1', ':99999')),
  tip,
  userAgent: unicode,
  features: many(fc.oneof(unicode, fc.constant('unsupported'))),
  publicKey: hash,
  nonce: hash,
});

/** Bodies of every kind with any content. */
export const bodies: fc.Arbitrary<Body> = fc.oneof(
  hello.map((value): Body => ({ $case: 'hello', value })),
  bytes(fc.uint8Array({ maxLength: 70 })).map((signature): Body => ({ $case: 'proof', value: { signature } })),
  tip.map((value): Body => ({ $case: 'ping', value: { tip: value } })),
  tip.map((value): Body => ({ $case: 'pong', value: { tip: value } })),
  fc.constantFrom<Body>(
    { $case: 'getPeers', value: {} },
    { $case: 'getMempool', value: {} },
    { $case: 'getChainLength', value: {} },
    { $case: 'unsupported', value: {} },
  ),
  many(unicode).map((list): Body => ({ $case: 'peers', value: { peers: list.map((address) => ({ address })) } })),
  tip.map((value): Body => ({ $case: 'chainLength', value: { tip: value } })),
  fc.record({ locator: many(hash), stopHash: hash }).map((value): Body => ({ $case: 'getHeaders', value })),
  many(raw(headers.map(encodeHeader))).map((list): Body => ({ $case: 'headers', value: { headers: list } })),
  fc
    .record({ hashes: many(hash), startIndex: uint32, limit: uint32 })
    .map((value): Body => ({ $case: 'getBlocks', value })),
  many(rawBlocks).map((list): Body => ({ $case: 'blocks', value: { blocks: list } })),
  fc
    .record({ block: fc.option(rawBlocks, { nil: undefined }), tip })
    .map((value): Body => ({ $case: 'newBlock', value })),
  rawTransactions.map((list): Body => ({ $case: 'newTransactions', value: { transactions: list } })),
  many(hash).map((ids): Body => ({ $case: 'getTransactions', value: { ids } })),
  rawTransactions.map((list): Body => ({ $case: 'transactions', value: { transactions: list } })),
  many(hash).map((ids): Body => ({ $case: 'mempool', value: { ids } })),
  fc.record({ result: fc.nat(9), code: unicode, detail: unicode }).map((value): Body => ({ $case: 'verdict', value })),
  unicode.map((reason): Body => ({ $case: 'goodbye', value: { reason } })),
);

export const messages: fc.Arbitrary<Buffer> = fc
  .record({ id: fc.nat(5), inReplyTo: fc.nat(5), body: bodies })
  .map((message) => Buffer.from(encodeMessage(message)));

/** Tags of the body's cases, of unknown fields, and of groups, which can be nested. */
export const wireTokens = [...Array(25).keys()]
  .flatMap((field) =>
    [0, 2, 3, 4].map((type) => PeerMessage.encode({ id: field * 8 + type, inReplyTo: 0, body: undefined }).finish()),
  )
  .map((encoded) => Buffer.from(encoded.subarray(1)));

/** One message, read to the last field as its handler does. */
export async function messageTarget(): Promise<FuzzTarget> {
  return {
    seeds: await recordConversation(),
    tokens: wireTokens,
    structured: fc.oneof(messages, damaged(messages)),
    run: (input) =>
      outcomeOf(() => {
        const message = decodeMessage(input);
        if (message.body !== undefined) readBody(message.body);
        const again = decodeMessage(encodeMessage(message));
        check(again.body?.$case === message.body?.$case, 'a message that becomes another when it is encoded again');
      }),
  };
}

function readBody(body: Body): void {
  switch (body.$case) {
    case 'hello':
      readHello(body.value, genesis, '10.0.0.1');
      return;
    case 'headers':
      decodeHeaders(body.value);
      return;
    case 'blocks':
      checkBlockCount(body.value.blocks.length);
      for (const { raw: block } of body.value.blocks) decodeWireBlock(block);
      return;
    case 'transactions':
    case 'newTransactions':
      decodeTransactions(body.value);
      return;
    case 'ping':
    case 'pong':
    case 'chainLength':
    case 'newBlock':
      decodeTip(body.value.tip);
      return;
    case 'getHeaders':
      decodeHashes(body.value.locator, LIMITS.locator);
      if (body.value.stopHash.length > 0) decodeHash(body.value.stopHash);
      return;
    case 'getBlocks':
      decodeHashes(body.value.hashes, LIMITS.blocksRequested);
      return;
    case 'getTransactions':
    case 'mempool':
      decodeHashes(body.value.ids, LIMITS.mempoolIds);
      return;
    default:
      return;
  }
}
