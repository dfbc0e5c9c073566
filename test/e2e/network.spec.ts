import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { DockerCluster } from '../support/docker-cluster.js';
import { checkClusterInvariants } from '../support/docker-invariants.js';
import { waitFor } from '../support/wait.js';
import { BY_HAND, describeWithEngine, imageUnderTest, newCluster } from './cluster.js';

describeWithEngine('three nodes in containers', () => {
  let cluster: DockerCluster;
  beforeAll(async () => {
    cluster = await DockerCluster.create(inject('run'), { image: imageUnderTest(), settings: BY_HAND });
  });
  afterAll(() => cluster.end());

  it('find each other by name, and carry an entry and its block to all', async () => {
    const [one, two, three] = await cluster.startAll();
    const id = await cluster.post(one!, 'Test from node 1');
    for (const node of [two!, three!]) {
      await waitFor(
        `${node.nodeId} has heard of the entry`,
        async () => (await node.status()).mempool.transactions === 1,
      );
    }
    await three!.mine();
    await checkClusterInvariants(cluster, { isMinedByHand: true });
    const found = await two!.get<{ status: string; data: string; block: { index: number } }>(`/transactions/${id}`);
    expect(found).toMatchObject({ status: 'confirmed', data: 'Test from node 1', block: { index: 1 } });
  });

  it('bring a late joiner, who knows one name only, up to the chain, what is pending, and everybody', async () => {
    const [one, two] = cluster.nodes;
    const { height } = await one!.status();
    for (let i = 1; i <= 5; i++) {
      await cluster.post(one!, `Block ${i}`);
      await one!.mine();
    }
    await one!.mine(300);
    await cluster.converged();
    await cluster.post(two!, 'still pending');
    const late = await cluster.add('node-4', { bootstrap: ['node-1'] });
    await cluster.meshed();
    expect(await cluster.converged()).toBe(height + 305);
    await waitFor('the pending entry is there too', async () => (await late.status()).mempool.transactions === 1);
    await checkClusterInvariants(cluster, { isMinedByHand: true });
  });
});

describeWithEngine('nodes in containers', () => {
  it('that know nothing but one name of many addresses, as of a headless service, all connect', async () => {
    const cluster = await newCluster({ settings: BY_HAND });
    const ids = ['node-1', 'node-2', 'node-3', 'node-4'];
    await Promise.all(ids.map((id) => cluster.add(id, { bootstrap: 'seed' })));
    await cluster.post(cluster.node('node-4'), 'through the headless service');
    await checkClusterInvariants(cluster, { isMinedByHand: true });
  });

  it('compete, and end with one chain that holds each entry once', async () => {
    const cluster = await newCluster();
    const nodes = await cluster.startAll();
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    await Promise.all(
      nodes.map(async (node) => {
        for (const round of rounds) await cluster.post(node, `${node.nodeId}, round ${round}`);
      }),
    );
    expect(cluster.acknowledged.size).toBe(nodes.length * rounds.length);
    const height = await checkClusterInvariants(cluster);
    expect(height).toBeGreaterThan(0);
    const chain = await nodes[0]!.chain();
    expect(chain.flatMap(({ transactions }) => transactions.filter(({ kind }) => kind !== 'coinbase'))).toHaveLength(
      60,
    );
    // And that what checks all this would see a loss.
    cluster.acknowledged.set('0'.repeat(64), 'never posted');
    await expect(checkClusterInvariants(cluster)).rejects.toThrow('"never posted"');
  });
});
