import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { DockerCluster } from '../support/docker-cluster.js';
import { checkClusterInvariants } from '../support/docker-invariants.js';
import { PERTURBATIONS, PostStream } from '../support/docker-perturbations.js';
import { waitFor } from '../support/wait.js';
import { describeWithEngine, imageUnderTest } from './cluster.js';

/** While the others get so many entries, the victim is away. */
const ENTRIES = 30;

/** One cluster that mines, and gets entries, all the while: what one perturbation leaves is where the next begins. */
describeWithEngine('a cluster under load survives', () => {
  let cluster: DockerCluster;
  let stream: PostStream;

  beforeAll(async () => {
    cluster = await DockerCluster.create(inject('run'), { image: imageUnderTest() });
    await cluster.startAll(4);
  });
  afterAll(() => cluster.end());
  beforeEach(() => {
    stream = new PostStream(cluster);
  });
  // A failed test must not leave its posters to the next.
  afterEach(() => stream.stop());

  it.each(PERTURBATIONS.map(({ name, play }, index) => ({ name, play, victim: `node-${(index % 4) + 1}` })))(
    '$victim: $name',
    async ({ play, victim }) => {
      const node = cluster.node(victim);
      await stream.more(ENTRIES);
      await play(cluster, [node], stream, ENTRIES);
      await node.ready();
      await stream.stop();
      await checkClusterInvariants(cluster);
    },
  );

  it('two halves that mine for themselves, and then meet again', async () => {
    const [one, , three, four] = cluster.nodes;
    await cluster.cut(three!, four!);
    await cluster.meshed([three!, four!]);
    const forkPoint = Math.max(...(await Promise.all(cluster.nodes.map((node) => node.status()))).map((s) => s.height));
    for (const half of [cluster.nodes.slice(0, 2), cluster.nodes.slice(2)])
      await cluster.converged(half, forkPoint + 3);
    await stream.stop();
    const [here, there] = await Promise.all([one!.chain(), three!.chain()]);
    expect(here[forkPoint + 1]!.hash).not.toBe(there[forkPoint + 1]!.hash);
    await cluster.heal(three!, four!);
    await checkClusterInvariants(cluster);
    const together = await one!.chain();
    const winner = together[forkPoint + 1]!.hash;
    expect([here[forkPoint + 1]!.hash, there[forkPoint + 1]!.hash]).toContain(winner);
  });

  it('all nodes killed at once', async () => {
    await stream.more(ENTRIES);
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await stream.stop();
    await Promise.all(cluster.nodes.map(async (node) => (await node.start()).ready()));
    await checkClusterInvariants(cluster);
  });

  it('a node that comes back with another address, while a stranger has its old one', async () => {
    const [one, ...others] = cluster.nodes;
    const before = await one!.addressOn(cluster.p2pNetwork);
    expect(await one!.stop()).toBe(0);
    // Engines give away the lowest free address, or the next one; the old one is not to be had again either way.
    const stranger = await cluster.add('stranger', { bootstrap: [], settings: { NETWORK_NAME: 'another' } });
    await one!.start();
    const after = await one!.addressOn(cluster.p2pNetwork);
    expect(after).not.toBe(before);
    await one!.ready();
    for (const node of others) {
      await waitFor(`${node.nodeId} has node-1 again`, async () => (await node.peerIds()).includes('node-1'), 60_000);
    }
    await cluster.drop(stranger);
    await stream.stop();
    await checkClusterInvariants(cluster);
  });
});
