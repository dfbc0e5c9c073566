import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Node } from '../../src/node.js';
import { chainData } from '../support/chain-builders.js';
import { SimNetwork } from '../support/sim-network.js';
import { temporaryDirectory } from '../support/temp-dir.js';

/** What a node holds: strings in its chain, then those that wait in its mempool. */
function entriesOf({ chain, mempool }: Node): string[] {
  return [...chainData(chain), ...mempool.list(0, 1_000_000).map(({ data }) => data)];
}

describe('a small network', () => {
  let net: SimNetwork;
  let posted: string[];
  beforeEach(() => {
    net = new SimNetwork();
    posted = [];
    console.log(`seed ${net.seed}: MINICHAIN_SIM_SEED=${net.seed} npx vitest run test/sim`);
  });
  afterEach(() => net.close());

  const post = async (name: string, data: string): Promise<void> => {
    await net.post(name, data);
    posted.push(data);
  };
  /** All nodes agree on every block, and each string that was acknowledged is exactly once on each. */
  const expectAgreement = (): void => {
    const [first, ...others] = net.nodes;
    const hashesOf = ({ chain }: Node): (string | undefined)[] =>
      Array.from({ length: chain.tip.height + 1 }, (_, height) => chain.nodeAt(height)?.hash);
    for (const other of others) expect(hashesOf(other)).toEqual(hashesOf(first!));
    for (const node of net.nodes) expect(entriesOf(node).sort()).toEqual([...posted].sort());
  };
  /** n1 first; the others know it alone. */
  const addNodes = async (count: number, options: { readonly autoMine?: boolean } = {}): Promise<string[]> => {
    const names = Array.from({ length: count }, (_, index) => `n${index + 1}`);
    for (const name of names) await net.add(name, { ...options, bootstrap: name === 'n1' ? [] : ['n1'] });
    return names;
  };

  it('that knows one bootstrap node becomes a full mesh', async () => {
    await addNodes(6);
    await net.meshed(5_000);
    for (const { config, peers } of net.nodes) {
      const others = net.nodes.map((other) => other.config.node.nodeId).filter((id) => id !== config.node.nodeId);
      const connected = peers.list().flatMap((peer) => (peer.connected ? peer.id! : []));
      expect(connected.sort()).toEqual(others);
    }
  });

  it('carries blocks and entries to all', async () => {
    await addNodes(5);
    await net.meshed();
    for (const name of ['n1', 'n3', 'n5']) await post(name, `from ${name}`);
    await net.converged(undefined, 1_000);
    expect(net.node('n2').mempool.size).toBe(3);
    await net.mine('n4', 1);
    await net.converged(undefined, 1_000);
    expect(net.node('n2').mempool.size).toBe(0);
    expect(chainData(net.node('n2').chain)).toHaveLength(3);
    expectAgreement();
  });

  it('that mines by itself keeps each entry once, though all race for it', async () => {
    const names = await addNodes(4, { autoMine: true });
    await net.meshed();
    for (let round = 0; round < 10; round++) for (const name of names) await post(name, `${name} ${round}`);
    await net.clock.advance(10_000);
    await net.converged();
    expect(net.nodes.map(({ mempool }) => mempool.size)).toEqual([0, 0, 0, 0]);
    expectAgreement();
  });

  it('brings up a late joiner over several messages of headers', async () => {
    await addNodes(2);
    await post('n1', 'in the first block');
    await net.mine('n1', 3_000);
    await post('n2', 'still pending');
    await net.converged();
    const late = await net.add('late', { bootstrap: ['n2'] });
    await net.converged(undefined, 30_000);
    expect(late.chain.tip.height).toBe(3_000);
    expectAgreement();
  });

  it.each([
    ['of unequal length', 3, 7],
    ['of equal length', 4, 4],
  ])('cut in two, with forks %s, comes to one chain when it is healed', async (_, left, right) => {
    const names = await addNodes(5, { autoMine: true });
    await net.meshed();
    await post('n1', 'before');
    await net.converged();
    net.partition(['n1', 'n2'], ['n3', 'n4', 'n5']);
    await net.clock.advance(1_000);
    for (let round = 0; round < 2; round++) for (const name of names) await post(name, `${name} apart, ${round}`);
    await net.converged(['n1', 'n2']);
    await net.converged(['n3', 'n4', 'n5']);
    const height = Math.max(...net.nodes.map(({ chain }) => chain.tip.height));
    await net.mine('n2', height + left - net.node('n2').chain.tip.height);
    await net.mine('n4', height + right - net.node('n4').chain.tip.height);
    await net.converged(['n1', 'n2']);
    await net.converged(['n3', 'n4', 'n5']);
    expect(net.node('n1').chain.tip.hash).not.toBe(net.node('n3').chain.tip.hash);
    net.heal();
    await net.converged(undefined, 120_000);
    expect(net.node('n1').chain.tip.height).toBeGreaterThanOrEqual(height + Math.max(left, right));
    expectAgreement();
  });

  it('follows a fork that is longer than a message of headers', async () => {
    await addNodes(2);
    await net.meshed();
    net.partition(['n1'], ['n2']);
    await post('n1', 'given back');
    await net.mine('n1', 2_050);
    await net.mine('n2', 2_060);
    net.heal();
    await net.converged(undefined, 60_000);
    expect(net.node('n1').chain.tip.height).toBe(2_060);
    expectAgreement();
  });

  it('takes a node back that was killed, with what it had acknowledged', async () => {
    const dataDir = temporaryDirectory();
    await addNodes(3);
    await net.add('mortal', { bootstrap: ['n1'], dataDir });
    await net.meshed();
    await net.mine('mortal', 5);
    await net.converged();
    net.partition(['n1', 'n2', 'n3'], ['mortal']);
    await post('mortal', 'acknowledged alone');
    await net.kill('mortal');
    net.heal();
    await post('n2', 'while it was dead');
    await net.mine('n3', 20);
    await net.converged();
    const mortal = await net.restart('mortal');
    expect(mortal.chain.tip.height).toBe(5);
    await net.meshed();
    await net.converged();
    expect(mortal.chain.tip.height).toBe(25);
    expectAgreement();
  });

  it('plays the same run again with the same seed, and another one with another', async () => {
    const play = async (seed: number): Promise<string[]> => {
      const run = new SimNetwork({ seed, isRecording: true });
      for (const name of ['n1', 'n2', 'n3'])
        await run.add(name, { autoMine: true, bootstrap: name === 'n1' ? [] : ['n1'] });
      await run.meshed();
      for (const name of ['n1', 'n2', 'n3']) await run.post(name, `from ${name}`);
      run.partition(['n1'], ['n2', 'n3']);
      await run.mine('n1', 3);
      await run.mine('n2', 3);
      run.heal();
      await run.converged();
      await run.clock.advance(30_000);
      await run.close();
      return run.log;
    };
    const [first, second, other] = [await play(net.seed), await play(net.seed), await play(net.seed + 1)];
    expect(first.length).toBeGreaterThan(100);
    const difference = first.findIndex((line, index) => line !== second[index]);
    expect([first[difference], second[difference]]).toEqual([undefined, undefined]);
    expect(second).toHaveLength(first.length);
    expect(other.join('')).not.toBe(first.join(''));
  });

  it('stays silent when nothing happens: no sync, no dial, no block', async () => {
    await addNodes(4, { autoMine: true });
    await net.meshed();
    await net.mine('n1', 3);
    await net.converged();
    await net.clock.advance(15_000);
    const tip = net.node('n1').chain.tip;
    const states = new Set<string>();
    for (const { peers } of net.nodes) peers.events.on('sync', (state) => void states.add(state));
    await net.clock.advance(10 * 60_000);
    expect([...states]).toEqual([]);
    expect(net.nodes.map(({ chain }) => chain.tip.hash)).toEqual(Array(4).fill(tip.hash));
    expect(net.nodes.map(({ peers }) => peers.summary().connected)).toEqual([3, 3, 3, 3]);
  });
});
