import { join } from 'node:path';
import { NodeProcess, temporaryDirectory } from '../support/node-process.js';

/** Machines that run other tests at the same time are slow. */
const START_MS = 90_000;

/** Three nodes that know each other, and whose pages may ask each other. */
export interface ThreeNodes {
  readonly nodes: readonly [NodeProcess, NodeProcess, NodeProcess];
  stop(): Promise<void>;
}

/** @param settings as NodeProcess.create takes them, for all three. */
export async function startThreeNodes(settings: Readonly<Record<string, string>> = {}): Promise<ThreeNodes> {
  const directory = temporaryDirectory();
  const all = { BLOCKCHAIN_DIFFICULTY: '2', HTTP_CORS_ORIGINS: '*', ...settings };
  const create = (n: number): Promise<NodeProcess> =>
    NodeProcess.create(`node-${n}`, join(directory.path, String(n)), all);
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
