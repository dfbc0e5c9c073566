import { Agent, get, request } from 'node:http';
import { NodeProcess, temporaryDirectory } from '../support/node-process.js';
import { median, percentile, type Report } from './report.js';

const BLOCKS = 100;

/** From the answer of node 1 to POST /mine until nodes 2 and 3 show the block over REST, beside node 1 itself. */
export async function run(): Promise<Report> {
  const directory = temporaryDirectory();
  const settings = { BLOCKCHAIN_AUTO_MINE: 'false', BLOCKCHAIN_DIFFICULTY: '1', NODE_LOG_LEVEL: 'warn' };
  const nodes: NodeProcess[] = [];
  for (const name of ['node-1', 'node-2', 'node-3']) {
    nodes.push(await NodeProcess.create(name, `${directory.path}/${name}`, settings));
  }
  const [one, two, three] = nodes as [NodeProcess, NodeProcess, NodeProcess];
  const delays: [number[], number[], number[]] = [[], [], []];
  try {
    for (const node of nodes) node.spawn(nodes.filter((other) => other !== node));
    await Promise.all(nodes.map((node) => node.ready()));
    await one.connectedTo(two, three);
    const agent = new Agent({ keepAlive: true });
    for (let height = 1; height <= BLOCKS + 10; height++) {
      const seen = nodes.map((node) => seenAt(agent, node.httpPort, height));
      await mineOne(agent, one.httpPort);
      const answeredMs = performance.now();
      const times = await Promise.all(seen);
      // The first ten warm the code up.
      if (height > 10) times.forEach((atMs, index) => delays[index]!.push(Math.max(0, atMs - answeredMs)));
    }
    agent.destroy();
  } finally {
    await Promise.all(nodes.map((node) => node.kill('SIGKILL')));
    directory.remove();
  }
  const [own, second, third] = delays;
  const peers = [...second, ...third];
  return {
    name: `block propagation over ${BLOCKS} blocks: node 1 answered -> seen over REST (polled without a pause)`,
    rows: [
      { label: 'seen at node 1 itself, median (baseline: the poll)', value: median(own), unit: 'ms' },
      { label: 'seen at node 2, median', value: median(second), unit: 'ms' },
      { label: 'seen at node 3, median', value: median(third), unit: 'ms' },
      { label: 'seen at a peer, median', value: median(peers), unit: 'ms', ratio: median(peers) / median(own) },
      {
        label: 'seen at a peer, p99',
        value: percentile(peers, 0.99),
        unit: 'ms',
        ratio: percentile(peers, 0.99) / median(own),
      },
    ],
  };
}

function mineOne(agent: Agent, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = request({ agent, port, path: '/mine', method: 'POST' }, (response) => {
      response.resume().once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('not mined'))));
    });
    call.once('error', reject).end();
  });
}

async function seenAt(agent: Agent, port: number, height: number): Promise<number> {
  const endMs = performance.now() + 10_000;
  while (performance.now() < endMs) {
    const isThere = await new Promise<boolean>((resolve, reject) => {
      get({ agent, port, path: `/blocks/${height}` }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode === 200));
      }).once('error', reject);
    });
    if (isThere) return performance.now();
  }
  throw new Error(`block ${height} not seen at port ${port}`);
}
