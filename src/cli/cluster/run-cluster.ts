import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { CliError, EXIT } from '../exit.js';
import { duration, plural, table } from '../format.js';
import { NodeClient } from '../node-client.js';
import type { Terminal } from '../terminal.js';
import { checkPorts } from './check-ports.js';
import { Cluster, type ClusterInit } from './cluster.js';
import { openControl } from './control-socket.js';
import { urlOf, type PlannedNode } from './plan-cluster.js';

const POLL_MS = 100;
const STILL_WAITING_EVERY_MS = 15_000;
/** npm hands on the Ctrl-C that the terminal sends us, too: signals this close together are one. */
const ONE_KEYPRESS_MS = 500;
const NUMBER_WORDS = [
  'no',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
  'eleven',
  'twelve',
];
const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface ClusterOptions extends Omit<ClusterInit, 'stopTimeoutMs'> {
  /** Where the signals come from: the process. */
  readonly signals: EventEmitter;
  /** Where other processes control this cluster. */
  readonly controlPath: string;
  /** How long nodes may take to stop before they are killed. */
  readonly stopTimeoutMs?: number;
}

/**
 * Runs the nodes until a signal comes; a second one kills them. A node that ends by itself stays down until it is started
 * again through the control socket.
 * @throws CliError when a port is taken (nothing is started then), all nodes have ended, or one did not stop well.
 */
export async function runCluster(options: ClusterOptions, terminal: Terminal): Promise<void> {
  await checkPorts(options.nodes.map(({ config }) => config));
  const startedMs = performance.now();
  const cluster = new Cluster({ stopTimeoutMs: 10_000, ...options }, terminal);
  cluster.startAll();
  const stop = Promise.withResolvers<'stop'>();
  let firstSignalMs: number | undefined;
  const onSignal = (): void => {
    if (firstSignalMs === undefined) {
      firstSignalMs = performance.now();
      stop.resolve('stop');
    } else if (performance.now() - firstSignalMs > ONE_KEYPRESS_MS) cluster.killAll();
  };
  for (const signal of STOP_SIGNALS) options.signals.on(signal, onSignal);
  const closeControl = await openControl(options.controlPath, cluster).catch((error: unknown) => {
    const reason = (error as Error).message;
    terminal.stderr.write(`nodes that end cannot be started again one by one: no control socket (${reason})\n`);
  });
  try {
    const isOver = new AbortController();
    void announceWhenConnected(cluster, startedMs, isOver.signal, terminal);
    const cause = await Promise.race([stop.promise, cluster.allEnded]);
    isOver.abort();
    if (cause !== 'stop') throw new CliError(`all nodes have ended: ${endsOf(cluster)}`, EXIT.failed);
    terminal.stderr.write(`stopping ${plural(cluster.running.length, 'node')} ...\n`);
    const failures = await cluster.stopAll();
    if (failures.length > 0) throw new CliError(`not all nodes stopped well: ${failures.join(', ')}`, EXIT.failed);
    terminal.stderr.write('all stopped\n');
  } finally {
    closeControl?.();
    for (const signal of STOP_SIGNALS) options.signals.off(signal, onSignal);
  }
}

function endsOf(cluster: Cluster): string {
  return cluster
    .list()
    .map(({ nodeId, end }) => `${nodeId} (${end})`)
    .join(', ');
}

/** Waits until every node that runs is ready and connected to all others, and says so. Ends silently when aborted. */
async function announceWhenConnected(
  cluster: Cluster,
  startedMs: number,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<void> {
  let lastWordMs = startedMs;
  for (;;) {
    const nodes = cluster.running;
    // With more nodes than sessions allowed, who is connected to whom is up to chance.
    const isFullMesh = nodes.every(({ config }) => config.network.maxPeers >= nodes.length - 1);
    const wanted = isFullMesh ? nodes.length - 1 : 1;
    const lacks = await Promise.all(nodes.map((node) => whatLacks(node, wanted)));
    if (signal.aborted) return;
    const missing = lacks.filter((lack) => lack !== undefined);
    if (nodes.length > 0 && missing.length === 0 && nodes.length === cluster.running.length) {
      terminal.stdout.write(welcome(nodes, performance.now() - startedMs));
      return;
    }
    if (performance.now() - lastWordMs > STILL_WAITING_EVERY_MS) {
      lastWordMs = performance.now();
      terminal.stderr.write(`still waiting: ${missing.join('; ')}\n`);
    }
    await sleep(POLL_MS);
  }
}

async function whatLacks({ config }: PlannedNode, wantedPeers: number): Promise<string | undefined> {
  const name = config.node.nodeId;
  const client = new NodeClient(urlOf(config), undefined);
  try {
    await client.ask('GET /health/ready', {});
    const { connected } = (await client.ask('GET /status', {})).body.peers;
    return connected >= wantedPeers ? undefined : `${name} has ${connected} of ${wantedPeers} peers`;
  } catch (error) {
    return `${name} is not ready (${(error as Error).message})`;
  }
}

function welcome(nodes: readonly PlannedNode[], tookMs: number): string {
  const configs = nodes.map(({ config }) => config);
  const urls = configs.map(urlOf);
  const number = NUMBER_WORDS[nodes.length] ?? String(nodes.length);
  const noun = nodes.length === 1 ? 'node running, ready after' : 'nodes connected in';
  const rows = configs.map(({ node }, i) => [
    node.nodeId,
    urls[i]!,
    ...['docs', 'metrics', 'peers'].map((path) => `${urls[i]}/${path}`),
  ]);
  const token = configs[0]!.http.writeToken === undefined ? '' : '-H "Authorization: Bearer <write token>" ';
  const example = `curl -X POST ${urls[0]}/blocks ${token}-H "Content-Type: application/json" -d '{"data":"Hello, chain"}'`;
  return [
    '',
    `${number} ${noun} ${duration(tookMs)}`,
    '',
    table([['', 'REST', 'docs', 'metrics', 'peers'], ...rows]),
    ...(configs.some(({ lab }) => lab.enabled) ? [`open ${urls[0]}`, ''] : []),
    `Try:  ${example}`,
    `      curl ${urls.at(-1)}/chain`,
    'Ctrl-C stops all of them.',
    '',
    '',
  ].join('\n');
}
