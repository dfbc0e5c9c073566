import { expect, inject, it, onTestFinished } from 'vitest';
import { HardenedContainer, containerById, runToEnd } from '../support/docker-container.js';
import { outputOf } from '../support/docker-engine.js';
import { waitFor } from '../support/wait.js';
import { BY_HAND, describeWithEngine, imageUnderTest, newCluster } from './cluster.js';

/** A container that will not start. */
function badContainer(environment: Record<string, string>): HardenedContainer {
  const container = new HardenedContainer(imageUnderTest(), inject('run'), `${inject('run')}-bad`);
  return container.withEnvironment({ MINICHAIN_NODE_NODE_ID: 'node-1', ...environment });
}

/** It ends at once and is unhealthy, with one line for each mistake that says all of `says` about it, and no stack trace. */
async function expectRefusal(container: HardenedContainer, ...says: readonly (readonly string[])[]): Promise<void> {
  const { exitCode, stdout, stderr, health } = await runToEnd(container);
  const lines = stderr.trim().split('\n');
  expect(lines, stdout).toHaveLength(says.length);
  for (const [index, line] of lines.entries()) {
    expect(line).toMatch(/^minichain: /);
    for (const part of says[index]!) expect(line).toContain(part);
  }
  expect(stdout + stderr).not.toMatch(/^\s+at /m);
  expect([1, 2]).toContain(exitCode);
  expect(health).toBe('unhealthy');
}

describeWithEngine('a container ends with one line that says what to change', () => {
  it.each([
    [
      'a value that is none',
      { MINICHAIN_NODE_HTTP_PORT: 'http' },
      ['MINICHAIN_NODE_HTTP_PORT', '0 to 65535', '"http"'],
    ],
    ['an unknown variable', { MINICHAIN_NODE_HTPP_PORT: '8091' }, ['MINICHAIN_NODE_HTPP_PORT', 'HTTP_PORT']],
    ['a difficulty out of range', { MINICHAIN_BLOCKCHAIN_DIFFICULTY: '99' }, ['MINICHAIN_BLOCKCHAIN_DIFFICULTY', '16']],
  ])('on %s', async (_name, environment, says) => {
    await expectRefusal(badContainer(environment), says);
  });

  it('on certificates that are not there', async () => {
    const files = { CA: '/tls/ca.crt', CERT: '/tls/node.crt', KEY: '/tls/node.key' };
    const variables = Object.entries(files).map(([name, path]) => [`MINICHAIN_NETWORK_TLS_${name}`, path] as const);
    await expectRefusal(badContainer(Object.fromEntries(variables)), ...variables);
  });

  it("on a volume that is another user's", async () => {
    const container = badContainer({}).withTmpFs({ '/data': 'rw,mode=0755,uid=0' });
    await expectRefusal(container, ['/data', 'MINICHAIN_NODE_DATA_DIR']);
  });

  it('on a volume that is mounted read-only', async () => {
    const cluster = await newCluster();
    const source = await cluster.volume('read-only');
    const container = badContainer({}).withBindMounts([{ source, target: '/data', mode: 'ro' }]);
    await expectRefusal(container, ['/data', 'MINICHAIN_NODE_DATA_DIR']);
  });

  it('on a port that another process of the same network has', async () => {
    const listen = "require('net').createServer().listen(8091, () => console.log('listening'))";
    const holder = new HardenedContainer(imageUnderTest(), inject('run'), `${inject('run')}-holder`);
    const started = await holder.withEntrypoint(['node', '-e', listen]).start();
    const container = await containerById(started.getId());
    onTestFinished(() => container.remove({ force: true, v: true }));
    await waitFor('the port is taken', async () => (await outputOf(container)).stdout.includes('listening'));
    const second = badContainer({}).withNetworkMode(`container:${container.id}`);
    await expectRefusal(second, ['8091 (REST of node-1)', 'MINICHAIN_NODE_HTTP_PORT']);
  });

  it('on a data directory that a running node has', async () => {
    const cluster = await newCluster({ settings: BY_HAND });
    const node = await cluster.add('node-1');
    const second = badContainer({}).withBindMounts([{ source: node.volume, target: '/data' }]);
    await expectRefusal(second, ['/data']);
    expect((await node.status()).height).toBe(0);
  });
});
