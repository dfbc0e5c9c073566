import pino from 'pino';
import { parseConfig } from '../../src/config/load-config.js';
import { createNode, type Node } from '../../src/node.js';
import { waitFor } from './wait.js';

/** The values that each label of a series has, by label. */
export type SeriesLabels = ReadonlyMap<string, ReadonlySet<string>>;

/** The metrics that a running node exports to Prometheus. */
export interface ExportedSeries {
  /** The names in `# TYPE` lines. */
  readonly metrics: ReadonlySet<string>;
  /** By the name that a query has to use: that of a histogram with _bucket, _sum or _count. */
  readonly series: ReadonlyMap<string, SeriesLabels>;
}

/**
 * Starts two real nodes that are connected, lets them mine and talk, and reads /metrics of one. Some metrics get their first
 * sample late, e.g. with the first garbage collection.
 */
export async function exportedSeries(): Promise<ExportedSeries> {
  const first = await startNode('node-1', []);
  let second: Node | undefined;
  try {
    second = await startNode('node-2', [`127.0.0.1:${first.config.node.p2pPort}`]);
    const other = second;
    await first.mempool.submit('an entry');
    await waitFor('the other node has the entry', () => other.mempool.size === 1);
    await first.miner.mine(1);
    await waitFor('the other node has the block', () => other.chain.tip === other.chain.nodeAt(1));
    return await waitFor('a sample of every metric', async () => {
      const exported = parseExposition(await metricsOf(first));
      const missing = [...exported.metrics].filter(
        (name) => ![name, `${name}_count`].some((it) => exported.series.has(it)),
      );
      if (missing.length > 0) throw new Error(`no sample of ${missing.join(', ')}`);
      return exported;
    });
  } finally {
    await second?.close();
    await first.close();
  }
}

async function startNode(nodeId: string, bootstrapNodes: readonly string[]): Promise<Node> {
  const config = parseConfig({
    env: {
      MINICHAIN_NODE_NODE_ID: nodeId,
      MINICHAIN_NODE_DATA_DIR: ':memory:',
      MINICHAIN_NODE_HTTP_PORT: '0',
      MINICHAIN_NODE_P2P_PORT: '0',
      MINICHAIN_NETWORK_BOOTSTRAP_NODES: bootstrapNodes.join(','),
      MINICHAIN_NETWORK_HEARTBEAT_SECONDS: '1',
      MINICHAIN_BLOCKCHAIN_DIFFICULTY: '1',
      MINICHAIN_LAB_ENABLED: 'true',
      MINICHAIN_RPC_PORT: '0',
      MINICHAIN_BLOCKCHAIN_AUTO_MINE: 'false',
    },
  });
  const inline = { ...config, blockchain: { ...config.blockchain, threads: 0 } };
  const node = await createNode(inline, { logger: pino({ level: 'silent' }) });
  await node.listen();
  return node;
}

async function metricsOf(node: Node): Promise<string> {
  const { port } = node.app.getHttpServer().address() as { port: number };
  return (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
}

/** Reads the Prometheus text format. */
export function parseExposition(text: string): ExportedSeries {
  const metrics = new Set<string>();
  const series = new Map<string, Map<string, Set<string>>>();
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) metrics.add(type[1]!);
    const sample = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line);
    if (sample === null) continue;
    const labels = series.get(sample[1]!) ?? new Map<string, Set<string>>();
    series.set(sample[1]!, labels);
    for (const [, label, value] of (sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels.set(label!, (labels.get(label!) ?? new Set()).add(value!));
    }
  }
  return { metrics, series };
}
