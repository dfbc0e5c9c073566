import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Peers } from '../../src/peers/peers-schemas.js';
import { ClusterProcess, runCommand } from '../support/cluster-process.js';
import { NodeProcess, temporaryDirectory } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';

let directory: ReturnType<typeof temporaryDirectory>;
let cluster: ClusterProcess;

beforeAll(async () => {
  directory = temporaryDirectory();
  cluster = await ClusterProcess.start(directory.path);
}, 90_000);

beforeEach(async () => {
  const answering = await Promise.any([1, 2, 3].map(async (n) => ((await cluster.lab(n)) ? n : n)));
  await cluster.post(answering, '/lab/reset');
  for (const n of [1, 2, 3]) await cluster.connected(n, 2);
}, 60_000);

afterAll(async () => {
  if ((await cluster.stop()) !== 0) throw new Error(`the cluster did not end well:\n${cluster.output}`);
  directory.remove();
}, 60_000);

async function code(response: Response): Promise<[number, string]> {
  return [response.status, ((await response.json()) as { code: string }).code];
}

describe('the lab of a real cluster', () => {
  it('has its page announced, and lists the nodes', async () => {
    expect(cluster.output).toContain(`open ${cluster.url(1)}\n`);
    const { cluster: processes, nodes } = await cluster.lab(2);
    const urls = [1, 2, 3].map((n) => cluster.url(n));
    expect(nodes).toEqual(urls);
    expect(processes!.nodes).toEqual(urls.map((url, i) => ({ nodeId: `node-${i + 1}`, url, state: 'running' })));
  });

  it('one call to any node cuts the network; both sides mine; after heal all agree on the most work', async () => {
    const answer = await cluster.post(2, '/lab/partition', { groups: [['node-1'], ['node-2', 'node-3']] });
    expect(answer.status).toBe(200);
    for (const n of [1, 2, 3]) {
      expect(await cluster.lab(n)).toMatchObject({ groups: [['node-1'], ['node-2', 'node-3']] });
    }
    await cluster.connected(1, 0);
    await cluster.connected(2, 1);
    const lonely = await cluster.mine(1, 1);
    const winner = await cluster.mine(3, 3);
    await cluster.agree(winner, 2, 3);
    await cluster.agree(lonely, 1);
    await cluster.post(1, '/lab/heal');
    await cluster.agree(winner, 1, 2, 3);
    expect(cluster.output).toMatch(/node-1 \|.*Reorganisation after block/);
  });

  it('a fork and a reorganisation take two commands', async () => {
    const cut = await cluster.command(1, 'lab', 'partition', 'node-1', '/', 'node-2,node-3');
    expect(cut).toMatchObject({
      code: 0,
      text: expect.stringContaining('The network is cut: node-1 / node-2, node-3'),
    });
    await cluster.mine(1, 1);
    const winner = await cluster.mine(2, 2);
    expect(await cluster.command(2, 'lab', 'heal')).toMatchObject({ code: 0 });
    await cluster.agree(winner, 1, 2, 3);
  });

  it('a node that is killed stays down until it is started; any other one can start it', async () => {
    const answer = await cluster.post(1, '/lab/nodes/node-1/kill');
    expect(await answer.json()).toMatchObject({ nodeId: 'node-1', cluster: { nodes: [{ state: 'ended' }, {}, {}] } });
    await waitFor(
      'node-2 knows that node-1 is down',
      async () => (await cluster.lab(2)).cluster!.nodes[0]!.state === 'ended',
    );
    await expect(cluster.lab(1)).rejects.toThrow('fetch failed');
    const tip = await cluster.mine(2, 1);
    expect(await code(await cluster.post(2, '/lab/nodes/node-1/kill'))).toEqual([409, 'not-running']);
    expect((await cluster.post(3, '/lab/nodes/node-1/start')).status).toBe(200);
    await cluster.connected(2, 2);
    await cluster.agree(tip, 1, 2, 3);
  });

  it('a node that starts while the network is cut takes part; the rest can be cut while it is down', async () => {
    await cluster.post(2, '/lab/nodes/node-3/kill');
    await cluster.post(2, '/lab/partition', { groups: [['node-3']] });
    await cluster.post(2, '/lab/nodes/node-3/start');
    await waitFor('node-3 takes part', async () => (await cluster.lab(3)).groups !== null);
    const tip = await cluster.mine(3, 2);
    await cluster.agree(tip, 3);
    expect((await cluster.get<Peers>(3, '/peers')).connected).toBe(0);
    await cluster.post(3, '/lab/heal');
    await cluster.agree(tip, 1, 2, 3);
  });

  it('the last node that runs cannot be killed, stopped or paused', async () => {
    await cluster.post(1, '/lab/nodes/node-2/kill');
    await cluster.post(1, '/lab/nodes/node-3/stop');
    for (const verb of ['kill', 'stop', 'pause']) {
      expect(await code(await cluster.post(1, `/lab/nodes/node-1/${verb}`))).toEqual([409, 'last-node']);
    }
    const refused = await cluster.command(1, 'lab', 'kill', 'node-1');
    expect(refused).toMatchObject({ code: 1, text: expect.stringMatching(/last-node, HTTP 409/) });
    await cluster.command(1, 'lab', 'reset');
    for (const n of [1, 2, 3]) await cluster.connected(n, 2);
  });

  it('a paused node does not answer, and goes on by itself', async () => {
    await cluster.post(1, '/lab/nodes/node-2/pause', { seconds: 5 });
    expect((await cluster.lab(1)).cluster!.nodes[1]!.state).toBe('paused');
    expect(await code(await cluster.post(1, '/lab/nodes/node-2/start'))).toEqual([409, 'running-already']);
    await waitFor('node-2 goes on', async () => (await cluster.lab(1)).cluster!.nodes[1]!.state === 'running');
    const tip = await cluster.mine(2, 1);
    await cluster.agree(tip, 1, 2, 3);
  });

  it('a slow link is slow, both ways, and carries all', async () => {
    await cluster.post(1, '/lab/links/node-2', { delayMs: 300, jitterMs: 100 });
    await waitFor('the heartbeat notices', async () => {
      const { peers } = await cluster.get<Peers>(1, '/peers');
      return (peers.find(({ id }) => id === 'node-2')?.latencyMs ?? 0) >= 300;
    });
    const tip = await cluster.mine(1, 5);
    await cluster.agree(tip, 1, 2, 3);
    await fetch(`${cluster.url(1)}/lab/links/node-2`, { method: 'DELETE' });
    expect((await cluster.lab(1)).links).toEqual([]);
  });

  it('a partition and a cut link end by themselves', async () => {
    await cluster.post(3, '/lab/partition', { groups: [['node-3']], seconds: 5 });
    await cluster.post(1, '/lab/links/node-2', { cut: true, seconds: 5 });
    await cluster.connected(1, 0);
    for (const n of [1, 2, 3]) await cluster.connected(n, 2);
    expect(await cluster.lab(1)).toMatchObject({ groups: null, links: [] });
  });

  it('mining of each node can be switched off, and on for all; reset brings back what is configured', async () => {
    const off = await cluster.command(1, 'lab', 'mining', 'off');
    expect(off).toMatchObject({ code: 0 });
    for (const n of [1, 2, 3]) expect(await cluster.lab(n)).toMatchObject({ mining: { mode: 'off' } });
    await cluster.mine(2, 1);
    await cluster.command(1, 'lab', 'mining', 'always', 'node-2', '--hash-rate', '50');
    expect(await cluster.lab(2)).toMatchObject({ mining: { mode: 'always', hashRate: 50 } });
    expect(await cluster.lab(3)).toMatchObject({ mining: { mode: 'off' } });
    await cluster.post(3, '/lab/heal');
    expect(await cluster.lab(3)).toMatchObject({ mining: { mode: 'off' } });
    await cluster.post(3, '/lab/reset');
    for (const n of [1, 2, 3]) expect(await cluster.lab(n)).toMatchObject({ mining: { mode: 'entries', hashRate: 0 } });
  });

  it('says what is done in the events of every node', async () => {
    const stream = await fetch(`${cluster.url(3)}/events`);
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    await cluster.post(1, '/lab/partition', { groups: [['node-1']] });
    await cluster.post(1, '/lab/nodes/node-2/pause', { seconds: 60 });
    await cluster.post(1, '/lab/heal');
    let text = '';
    const wanted = ['Network cut for 600 s: node-1 / node-2, node-3', 'node-2 is paused', 'Network healed'];
    while (!wanted.every((words) => text.includes(words))) text += (await reader.read()).value ?? '';
    await reader.cancel();
    expect(text).toContain('event: lab');
  });
});

it('nodes that no cluster runs are each asked by the command, and each says that it does only its own part', async () => {
  const settings: Record<string, string> = { LAB_ENABLED: 'true' };
  const create = (n: number) => NodeProcess.create(`node-${n}`, `${directory.path}/alone${n}`, settings);
  const [one, two, three] = [await create(1), await create(2), await create(3)];
  settings['LAB_NODES'] = [one, two, three].map(({ url }) => url).join(',');
  const nodes = [one.spawn([two, three]), two.spawn([one, three]), three.spawn([one, two])];
  try {
    for (const node of nodes) await node.ready(60_000);
    await one.connectedTo(two, three);
    await two.connectedTo(three);
    const { code: exit, text } = await runCommand(one.url, 'lab', 'partition', 'node-1', '/', 'node-2,node-3');
    expect([exit, text]).toEqual([0, expect.stringContaining('node-1 hears only the nodes of its group: node-1 / ')]);
    for (const node of nodes)
      expect(await node.get('/lab')).toMatchObject({ groups: [['node-1'], ['node-2', 'node-3']] });
    expect(one.output).toContain('Only the links of this node, which no cluster runs, are cut for 600 s');
    expect((await two.get<Peers>('/peers')).connected).toBe(1);
    expect(await runCommand(two.url, 'lab', 'heal')).toMatchObject({ code: 0 });
    await one.connectedTo(two, three);
    for (const node of nodes) expect(await node.get('/lab')).toMatchObject({ groups: null });
  } finally {
    await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
  }
}, 120_000);

it('minichain cluster --no-lab leaves the lab off', async () => {
  const plain = await ClusterProcess.start(`${directory.path}/plain`, { options: ['--no-lab'] });
  onTestFinished(async () => void (await plain.stop()));
  expect((await plain.post(1, '/lab/heal')).status).toBe(404);
  const { code: exit, text } = await plain.command(1, 'lab');
  expect([exit, text]).toEqual([1, expect.stringContaining('not-found, HTTP 404')]);
}, 90_000);
