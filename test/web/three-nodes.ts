import { join } from 'node:path';
import { NodeProcess, temporaryDirectory } from '../support/node-process.js';

/** Machines that run other tests at the same time are slow. */
const START_MS = 90_000;

/** Three nodes that know each other, and whose pages may ask each other. */
export interface ThreeNodes {
  readonly nodes: readonly [NodeProcess, NodeProcess, NodeProcess];
  stop(): Promise<void>;
}

/**
 * None of them mines without being asked, so that a slow machine makes no forks.
 * @param first further settings of the first node, as NodeProcess.create takes them.
 */
export async function startThreeNodes(first: Readonly<Record<string, string>> = {}): Promise<ThreeNodes> {
  const directory = temporaryDirectory();
  const all = { BLOCKCHAIN_DIFFICULTY: '2', BLOCKCHAIN_AUTO_MINE: 'false', HTTP_CORS_ORIGINS: '*' };
  const create = (n: number): Promise<NodeProcess> =>
    NodeProcess.create(`node-${n}`, join(directory.path, String(n)), n === 1 ? { ...all, ...first } : all);
  const [one, two, three] = [await create(1), await create(2), await create(3)];
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
