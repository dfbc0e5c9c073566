import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkInvariants } from '../support/sim-invariants.js';
import { SimNetwork } from '../support/sim-network.js';

describe('a node that can dial but not be dialled', () => {
  let net: SimNetwork;
  beforeEach(async () => {
    net = new SimNetwork({ seed: 22 });
    for (const name of ['n1', 'n2', 'n3']) await net.add(name, { bootstrap: name === 'n1' ? [] : ['n1'] });
    await net.add('hidden', { bootstrap: ['n1'], isBehindNat: true });
    await net.meshed();
  });
  afterEach(() => net.close());

  it('is known by no address, and has only sessions that it dialled itself', () => {
    const sessions = net.node('hidden').peers.list();
    expect(sessions.map(({ direction }) => direction)).toEqual(['outbound', 'outbound', 'outbound']);
    for (const name of ['n1', 'n2', 'n3']) {
      const { peers } = net.node(name);
      expect(peers.list().filter(({ id }) => id === 'hidden')).toMatchObject([
        { direction: 'inbound', connected: true },
      ]);
      expect(peers.list().some(({ address }) => address.startsWith('hidden:'))).toBe(false);
    }
  });

  it('hears of a new block as soon as everybody else', async () => {
    const startMs = net.clock.monotonicMs();
    await net.mine('n3', 1);
    await net.until('it has the block', () => net.node('hidden').chain.tip.height === 1, 1_000);
    // Less than a heartbeat: it was told, it did not ask.
    expect(net.clock.monotonicMs() - startMs).toBeLessThan(100);
  });

  it('tells the rest at once what it mines and what is posted to it', async () => {
    const startMs = net.clock.monotonicMs();
    const id = await net.post('hidden', 'from behind the wall');
    await net.until('all wait for it', () => net.nodes.every(({ mempool }) => mempool.has(id)), 1_000);
    await net.mine('hidden', 1);
    await net.until('all have the block', () => net.nodes.every(({ chain }) => chain.hasTransaction(id)), 1_000);
    expect(net.clock.monotonicMs() - startMs).toBeLessThan(200);
  });

  it('brings home what it mined in a long absence, more than a message of headers', async () => {
    await net.mine('n1', 10);
    await net.converged();
    net.partition(['n1', 'n2', 'n3'], ['hidden']);
    await net.mine('n2', 40);
    const id = await net.post('hidden', 'written alone');
    await net.mine('hidden', 2_100);
    await net.pass(3_600_000);
    expect(net.nodes.map(({ peers }) => peers.summary().connected)).toEqual([2, 2, 2, 0]);
    net.heal();
    await net.converged(undefined, 30_000);
    expect(net.node('n1').chain.tip.height).toBe(2_110);
    for (const { chain } of net.nodes) expect(chain.hasTransaction(id)).toBe(true);
    await checkInvariants(net);
  });

  it('gives up what it mined alone where the others have more work, and keeps the entries', async () => {
    net.partition(['n1', 'n2', 'n3'], ['hidden']);
    await net.post('hidden', 'written alone');
    await net.mine('hidden', 5);
    await net.mine('n2', 40);
    net.heal();
    await net.converged(undefined, 30_000);
    expect(net.node('hidden').chain.tip.height).toBe(40);
    expect(net.node('n3').mempool.size).toBe(1);
    await checkInvariants(net);
  });
});
