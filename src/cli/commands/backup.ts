import { Command } from 'commander';
import { paramsOf } from '../../config/consensus-params.js';
import { loadConfig } from '../../config/load-config.js';
import type { BackupSummary } from '../../storage/backup-file.js';
import { bytes, count } from '../format.js';
import { toCliError } from '../plain-errors.js';
import { ProgressLine } from '../progress-line.js';
import type { Terminal } from '../terminal.js';

/** A backup that is done sooner needs no word on its way, but on a terminal. */
const QUIET_MS = 2_000;

interface Options {
  readonly config?: string;
  readonly dataDir?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** What --json prints: the backup that was made, or the directory that it was restored into. */
type Outcome = BackupSummary & ({ readonly file: string } | { readonly dataDir: string });

export function backupCommand(terminal: Terminal): Command {
  return databaseCommand('backup', "copy a node's database, also while the node runs")
    .description(
      'Copies the database of a node into one file, as it is at one moment, whether the node runs or not; a running node\n' +
        'goes on undisturbed. In it: all blocks, the entries that wait in the mempool (so every entry that was\n' +
        'acknowledged before), known peers and bans. Not in it: the configuration, certificates and their keys, and\n' +
        'anything of the node id: a copy restored elsewhere takes part under the id of its own configuration.',
    )
    .argument('<file>', 'where the backup goes')
    .option('--force', 'replace the file if it is there')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain backup node-1.backup --config config/node1.toml\n  docker compose exec node1 minichain backup /data/node-1.backup',
    )
    .action(async (file: string, options: Options) => {
      const dataDir = options.dataDir ?? loadConfig({ path: options.config, env: terminal.env }).node.dataDir;
      const { backUp } = await import('../../storage/backup.js');
      const line = new ProgressLine(terminal, QUIET_MS);
      const stopped = new AbortController();
      const stop = (): void => stopped.abort();
      for (const signal of SIGNALS) process.once(signal, stop);
      try {
        const { force: isForced = false } = options;
        const onProgress = (done: number, total: number): void =>
          line.show(done < total ? `backup: ${bytes(done)} of ${bytes(total)}` : 'backup: looking for damage');
        const summary = await backUp({ dataDir, file, isForced, onProgress, signal: stopped.signal });
        line.clear();
        print(terminal, options, { file, ...summary }, `Backed up ${dataDir} to ${file}`);
      } catch (error) {
        line.clear();
        throw toCliError(error);
      } finally {
        for (const signal of SIGNALS) process.removeListener(signal, stop);
      }
    });
}

export function restoreCommand(terminal: Terminal): Command {
  return databaseCommand('restore', 'put a backup into an empty data directory')
    .description(
      'Puts a file made by `minichain backup` into a data directory that has no database yet. The file is searched for\n' +
        'damage, and its network compared with the configuration, before. Then start the node: it fetches from its peers\n' +
        'what came after the backup. Run it as the user that the node runs as.',
    )
    .argument('<file>', 'a backup')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain restore node-1.backup --config config/node1.toml\n  docker compose run --rm node1 restore /data/node-1.backup',
    )
    .action(async (file: string, options: Options) => {
      const config = loadConfig({ path: options.config, env: terminal.env });
      const dataDir = options.dataDir ?? config.node.dataDir;
      const { restore } = await import('../../storage/restore.js');
      try {
        const summary = restore({ file, dataDir, params: paramsOf(config) });
        print(terminal, options, { dataDir, ...summary }, `Restored ${dataDir} from ${file}`);
      } catch (error) {
        throw toCliError(error);
      }
    });
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

function databaseCommand(name: string, summary: string): Command {
  return new Command(name)
    .summary(summary)
    .option('--config <file>', 'TOML file of the node; without it, the environment alone says everything')
    .option('--data-dir <directory>', 'data directory, in place of the configured one')
    .option('--json', 'print the outcome as JSON');
}

function print(terminal: Terminal, options: Options, summary: Outcome, done: string): void {
  const { height, tip, entries, acknowledged } = summary;
  const waiting = entries === 1 ? '1 waiting entry' : `${count(entries)} waiting entries`;
  const text = `${done}: tip at height ${count(height)} (${tip}), ${waiting} (${count(acknowledged)} acknowledged by this node), ${bytes(summary.bytes)}.`;
  terminal.stdout.write(`${options.json ? JSON.stringify(summary) : text}\n`);
}
