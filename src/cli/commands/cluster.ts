import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { wholeNumberArgument } from '../client-command.js';
import type { ClusterNodeView, ControlRequest } from '../cluster/control.js';
import { withLab } from '../cluster/lab-settings.js';
import { planCluster, type PlannedNode } from '../cluster/plan-cluster.js';
import { runCluster } from '../cluster/run-cluster.js';
import { lastingTerminal } from '../lasting-terminal.js';
import { printable, table } from '../format.js';
import { handleHangUp } from '../hang-up.js';
import { endWithNpm } from '../npm-parent.js';
import { widthOf, type Terminal } from '../terminal.js';

const LAUNCHER = join(import.meta.dirname, '../../../scripts/minichain.mjs');
const MAX_NODES = 100;
const DEFAULT_CONFIG_DIR = 'config';

/** Which cluster. */
interface Place {
  readonly configDir: string;
  readonly dataDir?: string;
}

interface Options extends Place {
  readonly nodes: number;
  readonly fresh?: boolean;
  readonly tls?: boolean;
  readonly lab: boolean;
}

export function clusterCommand(terminal: Terminal): Command {
  const command = withPlace(new Command('cluster'))
    .summary('run several nodes on this machine')
    .description(
      'Runs several nodes on this machine, each a process of its own, and shows their logs; Ctrl-C stops all. A node\n' +
        'that ends leaves the others alone, and stays down until it is started again.',
    )
    .option('--nodes <n>', 'how many', wholeNumberArgument(1, MAX_NODES), 3)
    .addOption(new Option('--fresh', 'begin with empty chains, which are thrown away at the end').conflicts('dataDir'))
    .option('--tls', 'mTLS between the nodes; their certificates are made in certs beside their data')
    .option('--no-lab', 'leave the lab off, which can break the network on purpose')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain cluster --nodes 5\n  minichain cluster --fresh\n  minichain cluster kill node-3\n  minichain cluster start node-3',
    )
    .action(async ({ nodes, configDir, dataDir, fresh, tls, lab }: Options) => {
      const scratch = fresh ? mkdtempSync(join(tmpdir(), 'minichain-')) : undefined;
      try {
        const parent = dataDir ?? scratch;
        const plain = planCluster({ nodes, configDir, dataDir: parent, env: terminal.env });
        const secure = tls ? await secured(plain, join(parent ?? 'data', 'certs')) : plain;
        const planned = lab ? withLab(secure) : secure;
        const place = { configDir, ...(dataDir === undefined ? {} : { dataDir }) };
        const controlPath = controlPathOf(place, terminal);
        const startCommand = (nodeId: string): string => startCommandOf(place, nodeId, terminal);
        handleHangUp();
        endWithNpm(terminal);
        await runCluster(
          { nodes: planned, launcher: LAUNCHER, signals: process, controlPath, startCommand },
          lastingTerminal(terminal),
        );
      } finally {
        if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
      }
    });
  const summaries = {
    start: 'start a node of the running cluster that has ended',
    stop: 'stop one node of the running cluster',
    kill: 'kill one node of the running cluster, without a chance to end cleanly',
  } as const;
  for (const [verb, summary] of Object.entries(summaries) as [keyof typeof summaries, string][]) {
    const one = withJson(withPlace(new Command(verb)))
      .summary(summary)
      .description(`${capitalized(summary)}.`);
    one.argument('<node-id>', 'its node id').addHelpText('after', `\nExample:\n  minichain cluster ${verb} node-3`);
    command.addCommand(one.action((nodeId: string) => control(one, { command: verb, nodeId }, terminal)));
  }
  const list = withJson(withPlace(new Command('list'))).summary('list the nodes of the running cluster');
  list
    .description('Lists the nodes of the running cluster.')
    .addHelpText('after', '\nExample:\n  minichain cluster list');
  return command.addCommand(list.action(() => control(list, { command: 'list' }, terminal)));
}

function withJson(command: Command): Command {
  return command.option('--json', 'print the nodes as JSON');
}

function withPlace(command: Command): Command {
  return command
    .option(
      '--config-dir <dir>',
      'where node1.toml, node2.toml, ... are; nodes beyond them follow node1.toml',
      DEFAULT_CONFIG_DIR,
    )
    .option('--data-dir <dir>', 'keep the chains in node1, node2, ... in here (default: as the configurations say)');
}

async function control(command: Command, request: ControlRequest, terminal: Terminal): Promise<void> {
  const { askCluster } = await import('../cluster/control-socket.js');
  // The parent has the same options, and takes those that stand before its subcommand.
  const isGiven = command.getOptionValueSource('configDir') !== 'default';
  const { configDir, ...own } = command.opts<Place>();
  const place = { ...command.parent!.opts<Place>(), ...own, ...(isGiven ? { configDir } : {}) };
  const nodes = await askCluster(controlPathOf(place, terminal), request);
  const { json } = command.optsWithGlobals<{ json?: boolean }>();
  const { stdout } = terminal;
  stdout.write(json ? `${JSON.stringify({ nodes })}\n` : showNodes(nodes, widthOf(stdout)));
}

function showNodes(nodes: readonly ClusterNodeView[], width: number): string {
  const rows = nodes.map(({ nodeId, state, end, url }) => [
    printable(nodeId),
    end === null ? state : `${state} (${printable(end)})`,
    printable(url),
  ]);
  return table([['node', 'state', 'REST'], ...rows], { width, cuts: { state: 'end', REST: 'end', node: 'end' } });
}

/**
 * The socket lies beside the data of the first node. Its port is part of the name, because clusters with --fresh keep their
 * data elsewhere.
 */
function controlPathOf({ configDir, dataDir }: Place, { env }: Terminal): string {
  const [first] = planCluster({ nodes: 1, configDir, dataDir, env });
  const { node } = first!.config;
  return join(resolve(dirname(node.dataDir)), `cluster-${node.httpPort}.sock`);
}

function startCommandOf({ configDir, dataDir }: Place, nodeId: string, { env }: Terminal): string {
  const name = env['npm_execpath'] === undefined ? 'minichain' : 'npx minichain';
  const configs = configDir === DEFAULT_CONFIG_DIR ? '' : ` --config-dir ${configDir}`;
  const data = dataDir === undefined ? '' : ` --data-dir ${dataDir}`;
  return `${name} cluster start ${nodeId}${configs}${data}`;
}

function capitalized(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}

/** The library that makes certificates takes a while to load, and most clusters have no need of it. */
async function secured(nodes: readonly PlannedNode[], directory: string): Promise<PlannedNode[]> {
  const { secureCluster } = await import('../cluster/secure-cluster.js');
  return secureCluster(nodes, directory, Date.now());
}
