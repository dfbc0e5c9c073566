import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SimNetwork } from '../support/sim-network.js';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe.each([-5 * MINUTE_MS, DAY_MS, -DAY_MS])('when the wall clock of a node jumps by %i ms', (jumpMs) => {
  let net: SimNetwork;
  beforeEach(async () => {
    net = new SimNetwork();
    console.log(`seed ${net.seed}: MINICHAIN_SIM_SEED=${net.seed} npx vitest run test/sim/clock-jumps`);
    for (const name of ['n1', 'n2', 'n3']) await net.add(name, { bootstrap: name === 'n1' ? [] : ['n1'] });
    await net.meshed();
    await net.mine('n1', 3);
    await net.converged();
    // Long enough that the end of a session counts as a loss.
    await net.pass(MINUTE_MS);
  });
  afterEach(() => net.close());

  const isConnected = (name: string): boolean => net.node(name).peers.summary().connected === 2;

  it('keeps its sessions, with true latencies', async () => {
    net.jumpClock('n3', jumpMs);
    await net.pass(MINUTE_MS);
    expect(isConnected('n3')).toBe(true);
    const latencies = net
      .node('n3')
      .peers.list()
      .map(({ latencyMs }) => latencyMs!);
    for (const latencyMs of latencies) expect(latencyMs).toBeLessThan(1_000);
    expect(Math.min(...latencies)).toBeGreaterThan(0);
  });

  it('dials lost peers again as soon as without the jump', async () => {
    net.partition(['n1', 'n2'], ['n3']);
    await net.pass(10_000);
    expect(net.node('n3').peers.summary().connected).toBe(0);
    net.jumpClock('n3', jumpMs);
    net.heal();
    await net.until('n3 has its peers', () => isConnected('n3'), 20_000);
  });

  it('finds no peer that is gone, and a peer that comes back', async () => {
    net.partitionSilently(['n1', 'n2'], ['n3']);
    await net.pass(1_000);
    net.jumpClock('n3', jumpMs);
    await net.until('the sessions end', () => net.node('n3').peers.summary().connected === 0, 40_000);
    net.heal();
    await net.until('n3 has its peers', () => isConnected('n3'), 20_000);
  });

  it('syncs, now or, if it is behind the blocks, once its clock is right again', async () => {
    net.partition(['n1', 'n2'], ['n3']);
    await net.mine('n1', 20);
    net.jumpClock('n3', jumpMs);
    net.heal();
    if (jumpMs === -DAY_MS) {
      await net.pass(3 * MINUTE_MS);
      expect(net.node('n3').chain.tip.height).toBe(3);
      net.jumpClock('n3', DAY_MS);
    }
    await net.converged(undefined, 70_000);
    expect(net.node('n3').chain.tip.height).toBe(23);
    expect(net.node('n3').peers.bans()).toEqual([]);
  });

  it('mines as soon as before, if the rules allow its times', async () => {
    net.jumpClock('n3', jumpMs);
    await net.post('n3', 'after the jump');
    if (jumpMs === -DAY_MS) return;
    await net.mine('n3', 1);
    expect(net.node('n3').chain.tip.height).toBe(4);
    expect(net.node('n3').mempool.size).toBe(0);
  });
});

describe('when a machine has slept', () => {
  let net: SimNetwork;
  afterEach(() => net.close());

  it('finds dead sessions within seconds, and dials what it had failed to reach', async () => {
    net = new SimNetwork();
    console.log(`seed ${net.seed}`);
    const settings = { NETWORK_HEARTBEAT_SECONDS: '60' };
    await net.add('n1', { settings });
    await net.add('n2', { settings, bootstrap: ['n1'] });
    await net.meshed();
    await net.pass(MINUTE_MS);
    net.partitionSilently(['n1'], ['n2']);
    // Linux: monotonic time and timers stand still meanwhile.
    net.jumpClock('n2', 60 * MINUTE_MS);
    await net.until('n2 finds its session dead', () => net.node('n2').peers.summary().connected === 0, 4_000);
    await net.pass(2 * MINUTE_MS);
    net.heal();
    net.jumpClock('n2', 60 * MINUTE_MS);
    await net.until('n2 has its peer', () => net.node('n2').peers.summary().connected === 1, 4_000);
  });
});

describe('when the clocks of all nodes jump together', () => {
  it('goes on as if nothing had happened', async () => {
    const net = new SimNetwork();
    console.log(`seed ${net.seed}`);
    const names = ['n1', 'n2', 'n3', 'n4'];
    for (const name of names) await net.add(name, { autoMine: true, bootstrap: name === 'n1' ? [] : ['n1'] });
    await net.meshed();
    for (const jumpMs of [-5 * MINUTE_MS, DAY_MS, 2 * MINUTE_MS]) {
      for (const name of names) net.jumpClock(name, jumpMs);
      net.partition(['n1', 'n2'], ['n3', 'n4']);
      for (const name of names) await net.post(name, `${name} after ${jumpMs}`);
      await net.pass(5_000);
      net.heal();
      await net.converged(undefined, 60_000);
    }
    await net.until('all is mined', () => net.nodes.every(({ mempool }) => mempool.size === 0), 60_000);
    expect(net.violations).toEqual([]);
    await net.close();
  });
});
