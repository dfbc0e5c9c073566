import { resolve } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { alertQueries, dashboardQueries } from '../support/dashboard-queries.js';
import { DockerCluster } from '../support/docker-cluster.js';
import { HardenedContainer, runToEnd } from '../support/docker-container.js';
import { checkClusterInvariants } from '../support/docker-invariants.js';
import { PostStream } from '../support/docker-perturbations.js';
import { DockerPrometheus, PROMETHEUS_IMAGE, type Series } from '../support/docker-prometheus.js';
import { waitFor } from '../support/wait.js';
import { describeWithEngine, imageUnderTest } from './cluster.js';

const INSTANCES = ['node1:8091', 'node2:8091', 'node3:8091'];
/** Series come with the second scrape, and some a little after what they tell of. */
const LIMIT_MS = 60_000;
/** Metrics of a part that the nodes here leave off: their queries have no data. */
const OF_PARTS_THAT_ARE_OFF = ['minichain_lab_links', 'minichain_rpc_calls_total'];

describeWithEngine('Prometheus, by the configuration of this project', () => {
  let cluster: DockerCluster;
  let prometheus: DockerPrometheus;

  beforeAll(async () => {
    cluster = await DockerCluster.create(inject('run'), { image: imageUnderTest() });
    [prometheus] = await Promise.all([DockerPrometheus.start(cluster), cluster.startAll()]);
    await waitFor('all nodes are scraped', async () => String(await prometheus.up()) === String(INSTANCES), LIMIT_MS);
  });
  afterAll(async () => {
    await cluster.end();
    prometheus.remove();
  });

  /** Those of which there is an alert that fires, by a label of theirs. */
  const firing = async (name: string, label: string): Promise<string[]> =>
    (await prometheus.alerts())
      .filter(({ labels, state }) => labels['alertname'] === name && state === 'firing')
      .map(({ labels }) => labels[label] ?? '')
      .toSorted();

  it('has data for every query of a dashboard and of an alert whose part is on, and nothing to alert of', async () => {
    const stream = new PostStream(cluster);
    await stream.more(60);
    await stream.stop();
    await checkClusterInvariants(cluster);
    const queries = [
      ...dashboardQueries(cluster.nodes.map((node) => node.nodeId)).map(({ source, panel, expr }) => ({
        what: `${source}, ${panel}: ${expr}`,
        expr,
      })),
      ...alertQueries().map(({ alert, measured }) => ({ what: `${alert}: ${measured}`, expr: measured })),
    ];
    expect(queries.length).toBeGreaterThan(20);
    const isOff = ({ expr }: { expr: string }): boolean => OF_PARTS_THAT_ARE_OFF.some((name) => expr.includes(name));
    const expectedEmpty = queries.filter(isOff).map(({ what }) => what);
    expect(expectedEmpty).toHaveLength(OF_PARTS_THAT_ARE_OFF.length);
    let empty: string[] = [];
    const isAllThere = waitFor(
      'every query has data',
      async () => {
        const results = await Promise.all(
          queries.map(({ expr }): Promise<readonly Series[]> => prometheus.query(expr)),
        );
        empty = queries.filter((_, index) => results[index]!.length === 0).map(({ what }) => what);
        return String(empty) === String(expectedEmpty);
      },
      LIMIT_MS,
    );
    await isAllThere.catch(() => expect(empty).toEqual(expectedEmpty));
    await waitFor('no alert is left', async () => (await prometheus.alerts()).length === 0, LIMIT_MS);
  });

  it('alerts of a node that is down, and stops when it is back', async () => {
    const node = cluster.node('node-2');
    await node.kill();
    await waitFor('it fires', async () => String(await firing('MinichainNodeDown', 'instance')) === 'node2:8091');
    await (await node.start()).ready();
    await waitFor('it is over', async () => (await firing('MinichainNodeDown', 'instance')).length === 0, LIMIT_MS);
  });

  it('alerts of a node without peers and of tips that differ, until the network is whole again', async () => {
    const lonely = cluster.node('node-3');
    const stream = new PostStream(cluster);
    await cluster.cut(lonely);
    await waitFor('no peers', async () => String(await firing('MinichainNoPeers', 'node')) === 'node-3', LIMIT_MS);
    await waitFor('tips differ', async () => (await firing('MinichainTipsDisagree', 'job')).length === 1, LIMIT_MS);
    await stream.stop();
    await cluster.heal(lonely);
    await checkClusterInvariants(cluster);
    const names = new Set(['MinichainNoPeers', 'MinichainTipsDisagree']);
    const areOver = async (): Promise<boolean> =>
      !(await prometheus.alerts()).some(({ labels }) => names.has(labels['alertname']!));
    await waitFor('both are over', areOver, LIMIT_MS);
  });
});

describeWithEngine('promtool', () => {
  it.each([
    ['check', 'config', '/p/prometheus.yml'],
    ['test', 'rules', '/p/alerts.test.yml'],
  ])('finds nothing wrong: %s %s', async (...command) => {
    const promtool = new HardenedContainer(PROMETHEUS_IMAGE, inject('run'), `${inject('run')}-promtool-${command[0]}`)
      .withEntrypoint(['promtool'])
      .withCommand(command)
      .withBindMounts([{ source: resolve('deploy/prometheus'), target: '/p', mode: 'ro' }]);
    const { exitCode, stdout, stderr } = await runToEnd(promtool, LIMIT_MS);
    expect(exitCode, stdout + stderr).toBe(0);
  });
});
