import { describe, expect, it } from 'vitest';
import { genesisNode, mineChain } from '../../test/support/chain-builders.js';
import { identityOf } from '../../test/support/test-identity.js';
import { createParams } from '../consensus/params.js';
import { PROTOCOL_VERSION, certificateMismatch, createHello, readHello, type HelloOutcome } from './handshake.js';
import { FEATURE_NAMES } from './features.js';
import type { BodyOf } from './messages.js';

const THEM = identityOf('them', { instanceNonce: 2n, advertisedAddress: ':9092', userAgent: 'minichain/9' });
const NONCE = Buffer.alloc(32, 9);

describe('a Hello', () => {
  const genesis = genesisNode();
  const tip = mineChain(genesis, 2).nodes.at(-1)!;
  const hello = (change: Partial<BodyOf<'hello'>> = {}): BodyOf<'hello'> => ({
    ...createHello(THEM, NONCE, genesis, tip),
    ...change,
  });
  const read = (message: BodyOf<'hello'>): HelloOutcome => readHello(message, genesis, '10.0.0.9');
  const refusal = (message: BodyOf<'hello'>): string => read(message).kind;

  it('tells who a peer is, where it can be dialled, and its tip', () => {
    expect(read(hello())).toEqual({
      kind: 'accepted',
      identity: {
        key: THEM.key.id,
        nodeId: 'them',
        instanceNonce: 2n,
        userAgent: 'minichain/9',
        address: '10.0.0.9:9092',
        features: new Set(FEATURE_NAMES),
      },
      tip: { length: 3, chainWork: tip.chainWork, hash: tip.hash },
    });
  });

  it('may name features that we do not know, and none; those out of bounds are left out', () => {
    const featuresOf = (features: string[]): string[] => {
      const outcome = read(hello({ features }));
      return outcome.kind === 'accepted' ? [...outcome.identity.features] : [outcome.kind];
    };
    expect(featuresOf([])).toEqual([]);
    expect(featuresOf(['of-tomorrow', 'unsupported', 'of-tomorrow'])).toEqual(['of-tomorrow', 'unsupported']);
    expect(featuresOf(['', 'Upper', 'a b', 'x'.repeat(33), 'y'.repeat(32)])).toEqual(['y'.repeat(32)]);
    expect(featuresOf(Array.from({ length: 1_000 }, (_, index) => `f${index}`))).toHaveLength(64);
  });

  it('of a node behind NAT is taken without an address; a wildcard or loopback is none', () => {
    for (const advertisedAddress of ['', '0.0.0.0:9091', '127.0.0.1:9091', 'nonsense']) {
      expect(read(hello({ advertisedAddress }))).toMatchObject({ kind: 'accepted', identity: { address: undefined } });
    }
  });

  it('of another protocol is refused before anything else in it is looked at', () => {
    expect(
      refusal(hello({ protocolVersion: PROTOCOL_VERSION + 1, genesisHash: Buffer.alloc(7), tip: undefined })),
    ).toBe('protocol');
    expect(refusal(hello({ protocolVersion: 0 }))).toBe('protocol');
  });

  it('of another network, or of the same under other rules, is refused with both genesis hashes', () => {
    for (const other of [
      createParams({ network: 'other', difficulty: 0 }),
      createParams({ network: 'test', difficulty: 1 }),
    ]) {
      const outcome = read(createHello(THEM, NONCE, genesisNode(other), tip));
      expect(outcome).toMatchObject({ kind: 'network', reason: expect.stringContaining(other.genesis.hash) });
      expect(outcome).toMatchObject({ reason: expect.stringContaining(genesis.hash) });
    }
  });

  it('without a key is refused', () => {
    expect(read(hello({ publicKey: Buffer.alloc(0) }))).toEqual({
      kind: 'no-key',
      reason: 'the Hello names no public key; each node has to have one',
    });
  });

  it.each(['', 'a b', 'tab\t', 'ünïcode', '../../etc', 'x'.repeat(65), '<script>'])(
    'with the node id "%s" is refused',
    (nodeId) => {
      expect(refusal(hello({ nodeId }))).toBe('identity');
    },
  );

  it('that is malformed is the peer’s fault', () => {
    for (const change of [
      { genesisHash: Buffer.alloc(31) },
      { publicKey: Buffer.alloc(31) },
      { nonce: Buffer.alloc(0) },
      { tip: undefined },
      { tip: { ...hello().tip!, hash: Buffer.alloc(1) } },
    ]) {
      expect(() => read(hello(change))).toThrow(expect.objectContaining({ code: 'malformed-message' }));
    }
  });

  it('with a long user agent is cut', () => {
    const outcome = read(hello({ userAgent: 'x'.repeat(10_000) }));
    expect(outcome.kind === 'accepted' && outcome.identity.userAgent.length).toBe(100);
  });
});

describe('certificateMismatch', () => {
  it('lets a Hello pass only for the node that the certificate names', () => {
    expect(certificateMismatch('node-1', 'node-1')).toBeUndefined();
    expect(certificateMismatch('node-1', 'node-2')).toEqual({
      kind: 'certificate',
      reason: 'says it is node node-1, but its certificate is that of node node-2',
    });
    expect(certificateMismatch('node-1', undefined)?.reason).toContain('its certificate names no node');
    expect(certificateMismatch('Node-1', 'node-1')).toBeDefined();
  });
});
