import { expect, inject, it, onTestFinished } from 'vitest';
import { buildImage, removeImage } from '../support/docker-engine.js';
import { checkClusterInvariants } from '../support/docker-invariants.js';
import { PostStream } from '../support/docker-perturbations.js';
import { BY_HAND, describeWithEngine, imageUnderTest, newCluster } from './cluster.js';

const NEXT_VERSION = '0.1.1-e2e';

describeWithEngine('what a volume holds', () => {
  it('outlives its containers: chain, entries that wait, and peers', async () => {
    const cluster = await newCluster({ settings: BY_HAND });
    const nodes = await cluster.startAll();
    const [one, two] = nodes;
    for (let i = 1; i <= 3; i++) {
      await cluster.post(one!, `mined ${i}`);
      await one!.mine();
    }
    const height = await cluster.converged();
    await cluster.post(two!, 'waits');
    const before = await one!.status();
    await Promise.all(nodes.map((node) => node.remove()));
    await Promise.all(nodes.map(async (node) => (await node.create()).ready()));
    expect(await one!.status()).toMatchObject({ height, tip: before.tip, chainWork: before.chainWork });
    expect((await two!.status()).mempool.transactions).toBe(1);
    await checkClusterInvariants(cluster, { isMinedByHand: true });
  });

  it('is carried on by another image, node by node, while the others mine and take entries', async () => {
    const cluster = await newCluster();
    const nodes = await cluster.startAll();
    const next = await nextImage();
    const stream = new PostStream(cluster);
    onTestFinished(() => stream.stop());
    for (const node of nodes) {
      await stream.more(20);
      expect(await node.stop()).toBe(0);
      await node.remove();
      await stream.more(20);
      await (await node.create(next)).ready();
      await cluster.meshed();
      expect((await node.status()).version).toBe(NEXT_VERSION);
    }
    await stream.stop();
    expect(await checkClusterInvariants(cluster)).toBeGreaterThan(3);
  });
});

/**
 * The image under test that says it is another version. So this shows how a node is replaced while the rest goes on, and
 * that nodes which call themselves by different versions talk to each other; not that different code would.
 */
async function nextImage(): Promise<string> {
  const tag = `minichain:${inject('run')}`;
  const edit = [
    "const fs = require('fs'), file = '/app/package.json', text = JSON.parse(fs.readFileSync(file))",
    `text.version = '${NEXT_VERSION}'`,
    'fs.writeFileSync(file, JSON.stringify(text))',
  ];
  buildImage(tag, `FROM ${imageUnderTest()}\nUSER root\nRUN node -e "${edit.join('; ')}"\nUSER node\n`);
  onTestFinished(() => removeImage(tag));
  return tag;
}
