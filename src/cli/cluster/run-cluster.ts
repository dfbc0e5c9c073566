import type { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Status } from '../../ops/status-schemas.js';
import { CliError, EXIT } from '../exit.js';
import { duration, plural, table } from '../format.js';
import { NodeClient } from '../node-client.js';
import { colour, hasColours, type Terminal } from '../terminal.js';
import { checkPorts } from './check-ports.js';
import { ChildNode, type ChildEnd } from './child-node.js';
import { urlOf, type PlannedNode } from './plan-cluster.js';

const POLL_MS = 100;
const STILL_WAITING_EVERY_MS = 15_000;
/** npm hands on the Ctrl-C that the terminal sends us, too: signals this close together are one. */
const ONE_KEYPRESS_MS = 500;
const PREFIX_COLOURS = ['cyan', 'magenta', 'yellow', 'green', 'blue', 'red'] as const;
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
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface ClusterOptions {
  readonly nodes: readonly PlannedNode[];
  /** The script that each node's process runs. */
  readonly launcher: string;
  /** Where the signals come from: the process. */
  readonly signals: EventEmitter;
  /** How long nodes may take to stop before they are killed. */
  readonly stopTimeoutMs?: number;
}

/**
 * Runs the nodes until a signal comes; a second one kills them.
 * @throws CliError when a port is taken (nothing is started then), or a node ends by itself (the others are stopped).
 */
export async function runCluster(options: ClusterOptions, terminal: Terminal): Promise<void> {
  await checkPorts(options.nodes.map(({ config }) => config));
  const startedMs = performance.now();
  const children = startAll(options, terminal);
  const stop = Promise.withResolvers<void>();
  let firstSignalMs: number | undefined;
  const onSignal = (): void => {
    if (firstSignalMs === undefined) {
      firstSignalMs = performance.now();
      stop.resolve();
    } else if (performance.now() - firstSignalMs > ONE_KEYPRESS_MS) {
      for (const child of children) child.kill('SIGKILL');
    }
  };
  for (const signal of STOP_SIGNALS) options.signals.on(signal, onSignal);
  try {
    const isOver = new AbortController();
    void announceWhenConnected(children, startedMs, isOver.signal, terminal);
    const fallen = Promise.race(children.map(async (child) => ({ name: child.name, end: await child.ended })));
    const first = await Promise.race([stop.promise, fallen]);
    isOver.abort();
    const running = children.filter(({ end }) => end === undefined);
    const cause = first ? `${first.name} has ended, ` : '';
    if (running.length > 0) terminal.stderr.write(`${cause}stopping ${plural(running.length, 'node')} ...\n`);
    await stopAll(children, options.stopTimeoutMs ?? 10_000, terminal);
    if (first) throw new CliError(`${first.name} ended unexpectedly (${describeEnd(first.end)})`, EXIT.failed);
    terminal.stderr.write('all stopped\n');
  } finally {
    for (const signal of STOP_SIGNALS) options.signals.off(signal, onSignal);
  }
}

function startAll({ nodes, launcher }: ClusterOptions, terminal: Terminal): ChildNode[] {
  const isColoured = hasColours(terminal.stdout, terminal.env);
  const width = Math.max(...nodes.map(({ config }) => config.node.nodeId.length));
  return nodes.map((node, i) => {
    const label = `${node.config.node.nodeId.padEnd(width)} |`;
    const prefix = isColoured ? colour(PREFIX_COLOURS[i % PREFIX_COLOURS.length]!, label) : label;
    // Its output is a pipe, so it cannot see for itself that colours are welcome.
    const env = isColoured ? { FORCE_COLOR: '1', ...node.env } : node.env;
    return new ChildNode({ ...node, env }, launcher, `${prefix} `, terminal);
  });
}

/** Stops whoever still runs: SIGTERM, and SIGKILL after `timeoutMs`. */
async function stopAll(children: readonly ChildNode[], timeoutMs: number, terminal: Terminal): Promise<void> {
  for (const child of children) child.kill('SIGTERM');
  const timer = setTimeout(() => {
    for (const child of children.filter(({ end }) => end === undefined)) {
      terminal.stderr.write(`${child.name} does not stop, killing it\n`);
      child.kill('SIGKILL');
    }
  }, timeoutMs);
  await Promise.all(children.map((child) => child.ended));
  clearTimeout(timer);
}

/** Waits until every node is ready and connected to all others, and says so. Ends silently when aborted. */
async function announceWhenConnected(
  children: readonly ChildNode[],
  startedMs: number,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<void> {
  const configs = children.map((child) => child.plan.config);
  // With more nodes than sessions allowed, who is connected to whom is up to chance.
  const isFullMesh = configs.every(({ network }) => network.maxPeers >= configs.length - 1);
  const wanted = isFullMesh ? configs.length - 1 : 1;
  let lastWordMs = startedMs;
  for (;;) {
    const lacks = await Promise.all(children.map((child) => whatLacks(child, wanted)));
    if (signal.aborted) return;
    const missing = lacks.filter((lack) => lack !== undefined);
    if (missing.length === 0) break;
    if (performance.now() - lastWordMs > STILL_WAITING_EVERY_MS) {
      lastWordMs = performance.now();
      terminal.stderr.write(`still waiting: ${missing.join('; ')}\n`);
    }
    await sleep(POLL_MS);
  }
  terminal.stdout.write(welcome(children, performance.now() - startedMs));
}

async function whatLacks({ name, plan }: ChildNode, wantedPeers: number): Promise<string | undefined> {
  const client = new NodeClient(urlOf(plan.config), undefined);
  try {
    await client.get('/health/ready');
    const { connected } = (await client.get<Status>('/status')).body.peers;
    return connected >= wantedPeers ? undefined : `${name} has ${connected} of ${wantedPeers} peers`;
  } catch (error) {
    return `${name} is not ready (${(error as Error).message})`;
  }
}

function welcome(children: readonly ChildNode[], tookMs: number): string {
  const configs = children.map((child) => child.plan.config);
  const urls = configs.map(urlOf);
  const number = NUMBER_WORDS[children.length] ?? String(children.length);
  const noun = children.length === 1 ? 'node running, ready after' : 'nodes connected in';
  const rows = children.map(({ name }, i) => [
    name,
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
    `Try:  ${example}`,
    `      curl ${urls.at(-1)}/chain`,
    'Ctrl-C stops all of them.',
    '',
    '',
  ].join('\n');
}

function describeEnd({ code, signal }: ChildEnd): string {
  return signal === null ? `exit code ${code}` : `killed by ${signal}`;
}
