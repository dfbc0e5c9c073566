import { describe, expect, it } from 'vitest';
import { genesisNode } from '../../test/support/chain-builders.js';
import { identityOf } from '../../test/support/test-identity.js';
import { createParams } from '../consensus/params.js';
import type { BodyOf } from './messages.js';
import { Handshake } from './proof.js';

const genesis = genesisNode();
const nonceOf = (byte: number): Buffer => Buffer.alloc(32, byte);

describe('a Proof', () => {
  const us = new Handshake(identityOf('us'), genesis, 'outbound', nonceOf(1));
  const them = new Handshake(identityOf('them'), genesis, 'inbound', nonceOf(2));
  const [ours, theirs] = [us.hello(genesis), them.hello(genesis)];

  it('is accepted from the node that has the key, in both roles', () => {
    expect(() => us.checkProof(theirs, them.prove(ours))).not.toThrow();
    expect(() => them.checkProof(ours, us.prove(theirs))).not.toThrow();
  });

  const others: [string, BodyOf<'proof'>][] = [
    ['of another key', new Handshake(identityOf('evil'), genesis, 'inbound', nonceOf(2)).prove(ours)],
    ['of another session', new Handshake(identityOf('them'), genesis, 'inbound', nonceOf(3)).prove(ours)],
    ['for another nonce of ours', them.prove({ ...ours, nonce: nonceOf(9) })],
    // What we get if a peer of ours hands our nonce on to a node that it dials under its own key.
    ['made for a peer that passed our nonce on', them.prove({ ...ours, publicKey: identityOf('evil').key.publicKey })],
    ['in the other role', new Handshake(identityOf('them'), genesis, 'outbound', nonceOf(2)).prove(ours)],
    [
      'of another process',
      new Handshake(identityOf('them', { instanceNonce: 5n }), genesis, 'inbound', nonceOf(2)).prove(ours),
    ],
    [
      'with another node id',
      new Handshake(identityOf('them', { nodeId: 'x' }), genesis, 'inbound', nonceOf(2)).prove(ours),
    ],
    [
      'for another network',
      new Handshake(
        identityOf('them'),
        genesisNode(createParams({ network: 'other', difficulty: 0 })),
        'inbound',
        nonceOf(2),
      ).prove(ours),
    ],
    ['of our own', us.prove(theirs)],
    ['that is empty', { signature: Buffer.alloc(0) }],
    ['that is too long', { signature: Buffer.alloc(65) }],
  ];

  it.each(others)('%s is wrong', (_, proof) => {
    expect(() => us.checkProof(theirs, proof)).toThrow(expect.objectContaining({ code: 'wrong-proof' }));
  });

  it('for a key that is no point of the curve is wrong', () => {
    const publicKey = Buffer.alloc(32, 0xff);
    expect(() => us.checkProof({ ...theirs, publicKey }, them.prove(ours))).toThrow('does not have the key');
  });
});
