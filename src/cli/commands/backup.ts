import type { Command } from 'commander';
import { paramsOf } from '../../config/consensus-params.js';
import type { BackupSummary } from '../../storage/backup-file.js';
import { databaseCommand, locateDatabase, waitingEntries, type DatabaseOptions } from '../database-command.js';
import { bytes, count } from '../format.js';
import { toCliError } from '../plain-errors.js';
import { ProgressLine } from '../progress-line.js';
import type { Terminal } from '../terminal.js';

/** A backup that takes less time shows no progress, except on a terminal. */
const QUIET_MS = 2_000;

interface Options extends DatabaseOptions {
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
        'the key and the id of the node: who restores it elsewhere starts another node with the same chain.',
    )
    .option('--json', 'print the outcome as JSON')
    .argument('<file>', 'where the backup goes')
    .option('--force', 'replace the file if it is there')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain backup node-1.backup --config config/node1.toml\n  docker compose exec node1 minichain backup /data/node-1.backup',
    )
    .action(async (file: string, options: Options) => {
      const { dataDir } = locateDatabase(options, terminal);
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
    .option('--json', 'print the outcome as JSON')
    .argument('<file>', 'a backup')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain restore node-1.backup --config config/node1.toml\n  docker compose run --rm node1 restore /data/node-1.backup',
    )
    .action(async (file: string, options: Options) => {
      const { config, dataDir } = locateDatabase(options, terminal);
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

function print(terminal: Terminal, options: Options, summary: Outcome, done: string): void {
  const { height, tip, entries, acknowledged } = summary;
  const text = `${done}: tip at height ${count(height)} (${tip}), ${waitingEntries(entries)} (${count(acknowledged)} acknowledged by this node), ${bytes(summary.bytes)}.`;
  terminal.stdout.write(`${options.json ? JSON.stringify(summary) : text}\n`);
}
