import { afterEach, beforeEach } from 'vitest';
import { NodeProcess, temporaryDirectory } from './node-process.js';

/** Node processes of one test, with their data below a directory of their own. */
export interface NodeProcesses {
  readonly path: string;
  /**
   * @param settings further MINICHAIN_* variables, without the prefix.
   * @param prefix as for NodeProcess.create().
   */
  readonly create: (
    nodeId: string,
    settings?: Readonly<Record<string, string>>,
    prefix?: readonly string[],
  ) => Promise<NodeProcess>;
}

/** For each test of a describe block; those that still run after it are killed, and their data is removed. */
export function useNodeProcesses(common: Readonly<Record<string, string>> = {}): NodeProcesses {
  let directory: ReturnType<typeof temporaryDirectory>;
  let created: NodeProcess[];
  beforeEach(() => {
    directory = temporaryDirectory();
    created = [];
  });
  afterEach(async () => {
    const running = created.filter((node) => node.pid !== undefined && node.exit === null);
    await Promise.all(running.map((node) => node.kill('SIGKILL')));
    directory.remove();
  });
  return {
    get path() {
      return directory.path;
    },
    async create(nodeId, settings = {}, prefix = []) {
      const node = await NodeProcess.create(nodeId, `${directory.path}/${nodeId}`, { ...common, ...settings }, prefix);
      created.push(node);
      return node;
    },
  };
}
