import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { wholeNumberArgument } from '../client-command.js';
import { planCluster, type PlannedNode } from '../cluster/plan-cluster.js';
import { runCluster } from '../cluster/run-cluster.js';
import { lastingTerminal } from '../lasting-terminal.js';
import type { Terminal } from '../terminal.js';

const LAUNCHER = join(import.meta.dirname, '../../../scripts/minichain.mjs');
const MAX_NODES = 100;

interface Options {
  readonly nodes: number;
  readonly configDir: string;
  readonly dataDir?: string;
  readonly fresh?: boolean;
  readonly tls?: boolean;
}

export function clusterCommand(terminal: Terminal): Command {
  return new Command('cluster')
    .summary('run several nodes on this machine')
    .description(
      'Runs several nodes on this machine, each a process of its own, and shows their logs; Ctrl-C stops all.',
    )
    .option('--nodes <n>', 'how many', wholeNumberArgument(1, MAX_NODES), 3)
    .option(
      '--config-dir <dir>',
      'where node1.toml, node2.toml, ... are; nodes beyond them follow node1.toml',
      'config',
    )
    .option('--data-dir <dir>', 'keep the chains in node1, node2, ... in here (default: as the configurations say)')
    .addOption(new Option('--fresh', 'begin with empty chains, which are thrown away at the end').conflicts('dataDir'))
    .option('--tls', 'mTLS between the nodes; their certificates are made in certs beside their data')
    .addHelpText('after', '\nExamples:\n  minichain cluster --nodes 5\n  minichain cluster --fresh')
    .action(async ({ nodes, configDir, dataDir, fresh, tls }: Options) => {
      const scratch = fresh ? mkdtempSync(join(tmpdir(), 'minichain-')) : undefined;
      try {
        const parent = dataDir ?? scratch;
        const plain = planCluster({ nodes, configDir, dataDir: parent, env: terminal.env });
        const planned = tls ? await secured(plain, join(parent ?? 'data', 'certs')) : plain;
        await runCluster({ nodes: planned, launcher: LAUNCHER, signals: process }, lastingTerminal(terminal));
      } finally {
        if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
      }
    });
}

/** The library that makes certificates takes a while to load, and most clusters have no need of it. */
async function secured(nodes: readonly PlannedNode[], directory: string): Promise<PlannedNode[]> {
  const { secureCluster } = await import('../cluster/secure-cluster.js');
  return secureCluster(nodes, directory, Date.now());
}
