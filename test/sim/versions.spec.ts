import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Registry } from 'prom-client';
import { REGISTRY } from '../../src/common/tokens.js';
import type { Node } from '../../src/node.js';
import { NewerDialect, OlderDialect } from '../support/dialects.js';
import { SimNetwork } from '../support/sim-network.js';

const MINUTE_MS = 60_000;

describe('nodes that speak an older and a newer protocol', () => {
  let net: SimNetwork;
  beforeEach(() => {
    net = new SimNetwork();
    console.log(`seed ${net.seed}: MINICHAIN_SIM_SEED=${net.seed} npx vitest run test/sim/versions.spec.ts`);
  });
  afterEach(() => net.close());

  const total = async (node: Node, metric: string): Promise<number> => {
    const { values } = await node.app.get<Registry>(REGISTRY).getSingleMetric(metric)!.get();
    return values.reduce((sum, { value }) => sum + value, 0);
  };

  it('share one network with nodes of today for an hour, without blame, and converge', async () => {
    const older = new OlderDialect();
    const newer = new NewerDialect();
    await net.add('today-1');
    const others = { 'today-2': undefined, 'old-1': older, 'old-2': older, 'new-1': newer, 'new-2': newer };
    for (const [name, dialect] of Object.entries(others)) {
      await net.add(name, { bootstrap: ['today-1', 'old-1', 'new-1'], ...(dialect && { dialect }) });
    }
    await net.meshed();
    const names = net.nodes.map(({ config }) => config.node.nodeId);
    for (let minute = 0; minute < 60; minute++) {
      const name = names[minute % names.length]!;
      await net.post(name, `minute ${minute}`);
      if (minute === 20) net.partition(['today-1', 'old-1', 'new-1'], ['today-2', 'old-2', 'new-2']);
      if (minute === 30) net.heal();
      await net.mine(name, 1 + (minute % 3));
      await net.pass(MINUTE_MS);
    }
    await net.meshed();
    await net.converged();
    for (const node of net.nodes) {
      expect(node.peers.bans()).toEqual([]);
      expect(node.peers.list().map(({ score }) => score)).toEqual(Array(node.peers.list().length).fill(0));
      expect(await total(node, 'minichain_peer_misbehaviour_total')).toBe(0);
      expect(await total(node, 'minichain_peer_messages_dropped_total')).toBe(0);
      expect(await total(node, 'minichain_peer_unknown_messages_total')).toBeGreaterThan(100);
    }
    // Nodes of today send an older one nothing that it does not know. The newer ones here send new bodies to everybody.
    expect([...older.strangers].sort()).toEqual(['new-1', 'new-2']);
    expect(Object.values(newer.sent).every((count) => count > 10)).toBe(true);
    expect(newer.refusals).toBeGreaterThan(newer.sent.requests / 2);
  }, 120_000);
});
