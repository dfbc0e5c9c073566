import { readFileSync } from 'node:fs';
import { vi } from 'vitest';
import type { NodeProcess } from '../../support/node-process.js';
import { useNodeProcesses } from '../../support/node-processes.js';
import { waitFor } from '../../support/wait.js';
import { scaled } from './scale.js';

const LIMIT_MS = 60_000;
/** An attack takes long, and longer on a machine that does other things too. */
const TEST_TIMEOUT_MS = scaled(300_000, 900_000);

/** Two honest nodes that are connected: one is attacked, and both have to go on. */
export class HonestPair {
  #entries = 0;

  constructor(
    /** The one under attack. */
    readonly victim: NodeProcess,
    readonly other: NodeProcess,
  ) {}

  /** An entry that is posted at either node gets into a block that both have. */
  async worksOn(): Promise<void> {
    for (const [from, to] of [
      [this.victim, this.other],
      [this.other, this.victim],
    ] as const) {
      const id = await from.submit(`honest entry ${++this.#entries}`);
      await from.post('/mine', { blocks: 1 });
      await waitFor(
        `${to.nodeId} has the entry of ${from.nodeId}`,
        async () => (await to.get<{ status: string }>(`/transactions/${id}`)).status === 'confirmed',
        LIMIT_MS,
      );
    }
  }
}

/** For each test of a describe block; entries are mined on POST /mine alone. */
export function useHonestPair(settings: Readonly<Record<string, string>> = {}) {
  vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });
  const processes = useNodeProcesses({ BLOCKCHAIN_DIFFICULTY: '1', BLOCKCHAIN_AUTO_MINE: 'false', ...settings });
  return {
    /**
     * @param own settings of the node under attack.
     * @param prefix as for NodeProcess.create(), of the node under attack.
     * @param others settings of the other node.
     */
    async start(
      own: Readonly<Record<string, string>> = {},
      prefix: readonly string[] = [],
      others: Readonly<Record<string, string>> = {},
    ): Promise<HonestPair> {
      const victim = await processes.create('victim', own, prefix);
      const other = await processes.create('other', others);
      await Promise.all([victim.spawn().ready(LIMIT_MS), other.spawn([victim]).ready(LIMIT_MS)]);
      await other.connectedTo(victim);
      return new HonestPair(victim, other);
    },
  };
}

/** The most memory that a process has had so far, in MiB (Linux). */
export function peakMemoryMiB({ pid }: NodeProcess): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
}

/** One reading of a metric, all series with these labels added up. */
export async function readMetric(node: NodeProcess, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${node.url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) && line.includes(labels));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
