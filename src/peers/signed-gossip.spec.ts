import { describe, expect, it } from 'vitest';
import { genesisNode, mineChain, mineOn, nodeOf, openChain } from '../../test/support/chain-builders.js';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import type { MemoryNetwork } from '../../test/support/memory-network.js';
import { greet } from '../../test/support/peers-host.js';
import { malleated, signedEntry } from '../../test/support/signing.js';
import type { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Block } from '../consensus/block.js';
import { encodeSignedTransaction, type SignedTransaction } from '../consensus/signed-entry.js';
import type { Transaction } from '../consensus/transaction.js';
import type { SignatureAllowance } from '../consensus/verify-block.js';
import { SteppedVerification } from './stepped-verification.js';
import { encodeTip } from './wire.js';

const GENESIS = genesisNode().hash;
const forged = encodeSignedTransaction('forged', signedEntry('other', GENESIS));

const signedOf = (name: string, count: number): SignedTransaction[] =>
  Array.from({ length: count }, (_, i) => signedEntry(`${name} ${i}`, GENESIS));

describe('gossip of signed entries', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let open: HostNetwork['open'];
  onHostNetwork((network) => ({ clock, net, open } = network));

  const tell = (transactions: readonly Transaction[]) =>
    ({
      $case: 'newTransactions',
      value: { transactions: transactions.map(({ bytes }) => ({ raw: bytes })) },
    }) as const;
  const blockMessage = (block: Block) =>
    ({ $case: 'newBlock', value: { block: { raw: block.bytes }, tip: encodeTip(genesisNode()) } }) as const;

  it('takes those of a peer, and tells others', async () => {
    const [first, second] = [open('a'), open('b', { bootstrap: ['a:9000'] })];
    const peer = await greet(net, first, 'x');
    const entries = signedOf('entry', 250);
    peer.session.notify(tell(entries));
    await clock.until('all are at both', () => second.mempool.size === entries.length);
    expect(second.mempool.ids()).toEqual(entries.map(({ id }) => id));
  });

  it.each<[string, Transaction, string]>([
    ['a forged one', forged, 'bad-sig'],
    ['one of another network', signedEntry('x', 'ab'.repeat(32)), 'bad-sig'],
    [
      'one with S + L',
      encodeSignedTransaction('good', {
        publicKey: signedEntry('good', GENESIS).publicKey,
        signature: malleated(signedEntry('good', GENESIS).signature),
      }),
      'bad-sig-encoding',
    ],
    [
      'one of a weak key',
      encodeSignedTransaction('good', {
        publicKey: Buffer.alloc(32),
        signature: signedEntry('good', GENESIS).signature,
      }),
      'bad-sig-key',
    ],
  ])('bans who sends %s, and keeps the good ones', async (_name, bad, code) => {
    const host = open('a');
    const peer = await greet(net, host, 'x');
    const good = signedEntry('good', GENESIS);
    peer.session.notify(tell([good, bad]));
    await clock.until('it is banned', () => host.peers.bans().length === 1);
    expect(host.peers.bans()[0]).toMatchObject({ code });
    expect(host.mempool.ids()).toEqual([good.id]);
  });

  it('takes a small block with more signatures than a turn may check, and refuses one that is forged', async () => {
    const host = open('a');
    const peer = await greet(net, host, 'x');
    const block = mineOn(host.chain.genesis, signedOf('mined', 240));
    const verdict = await clock.during('a verdict', peer.session.request(blockMessage(block), 'verdict', 5_000));
    expect(verdict.code).toBe('');
    expect(host.chain.tip.hash).toBe(block.hash);
    const bad = mineOn(host.chain.tip, [...signedOf('honest', 240), forged]);
    const refusal = await clock.during('a verdict', peer.session.request(blockMessage(bad), 'verdict', 5_000));
    expect(refusal.code).toBe('bad-sig');
    await clock.until('it is banned', () => host.peers.bans().length === 1);
    expect(host.chain.invalidCode(bad.hash)).toBe('bad-sig');
  });

  it('syncs a chain of them from another node', async () => {
    const first = open('a');
    const { blocks } = mineChain(first.chain.genesis, 6, (i) => signedOf(`block ${i}`, 90));
    for (const block of blocks) first.chain.accept(first.chain.verify(block));
    const second = open('b', { bootstrap: ['a:9000'] });
    await clock.until('it has all', () => second.chain.tip === second.chain.node(blocks[5]!.hash));
  });
});

describe('verification of a big block', () => {
  /** Signatures that each step checks. */
  function stepsOf(block: Block, test = openChain()): number[] {
    const steps: number[] = [];
    const verification = new SteppedVerification(block.bytes, {
      lookAhead: (verified) => test.chain.lookAhead(verified),
      verification: (opened) => {
        const inner = test.chain.verification(opened);
        return {
          step: (allowance: SignatureAllowance) => {
            const { left } = allowance;
            const verified = inner.step(allowance);
            steps.push(left - allowance.left);
            return verified;
          },
        };
      },
    });
    while (verification.step() === undefined);
    return steps;
  }

  it('takes as many turns as its signatures need', () => {
    const test = openChain();
    expect(stepsOf(mineOn(genesisNode(), signedOf('entry', 250)), test)).toEqual([100, 100, 50]);
    test.close();
  });

  it('checks no signature in the turn of all other rules, and none twice', () => {
    const test = openChain();
    const entries = signedOf('entry', 2_100);
    const steps = stepsOf(mineOn(genesisNode(), entries), test);
    expect(steps).toEqual([0, ...Array(21).fill(100)]);
    const rival = mineOn(genesisNode(), entries);
    expect(stepsOf(rival, test)).toEqual([0]);
    expect(stepsOf(mineOn(nodeOf(rival, genesisNode()), entries.slice(0, 50)), test)).toEqual([0]);
    test.close();
  });
});
