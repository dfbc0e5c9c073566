import { join } from 'node:path';
import { NodeProcess, temporaryDirectory } from '../support/node-process.js';

/** Machines that run other tests at the same time are slow. */
const START_MS = 90_000;

export interface ThreeNodesOptions {
  /** Further settings of all nodes, as NodeProcess.create takes them. */
  readonly all?: Readonly<Record<string, string>>;
  /** And of the first one. */
  readonly first?: Readonly<Record<string, string>>;
  /** Numbers of the nodes whose lab is on, so that their pages follow all three. The pages of the others show their own node only. */
  readonly labs?: readonly number[];
}

/** Three nodes that know each other, and whose pages may ask each other. */
export interface ThreeNodes {
  readonly nodes: readonly [NodeProcess, NodeProcess, NodeProcess];
  stop(): Promise<void>;
}

/** None of them mines without being asked, so that a slow machine makes no forks. No process is the parent of all three. */
export async function startThreeNodes({
  all = {},
  first = {},
  labs = [],
}: ThreeNodesOptions = {}): Promise<ThreeNodes> {
  const directory = temporaryDirectory();
  const settings = [1, 2, 3].map((n): Record<string, string> => ({
    BLOCKCHAIN_DIFFICULTY: '2',
    BLOCKCHAIN_AUTO_MINE: 'false',
    ...(labs.includes(n) ? { LAB_ENABLED: 'true' } : { HTTP_CORS_ORIGINS: '*' }),
    ...all,
    ...(n === 1 ? first : {}),
  }));
  const create = (n: number): Promise<NodeProcess> =>
    NodeProcess.create(`node-${n}`, join(directory.path, String(n)), settings[n - 1]);
  const [one, two, three] = [await create(1), await create(2), await create(3)];
  // Before they have been made they have no addresses.
  for (const n of labs) settings[n - 1]!['LAB_NODES'] = [one, two, three].map(({ url }) => url).join(',');
  one.spawn([two, three]);
  two.spawn([one, three]);
  three.spawn([one, two]);
  const nodes = [one, two, three] as const;
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.filter(({ exit }) => exit === null).map((node) => node.kill('SIGKILL')));
    directory.remove();
  };
  try {
    await Promise.all(nodes.map((node) => node.ready(START_MS)));
    await one.connectedTo(two, three);
    await two.connectedTo(three);
  } catch (error) {
    await stop();
    throw error;
  }
  return { nodes, stop };
}
