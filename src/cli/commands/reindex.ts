import type { Command } from 'commander';
import { paramsOf } from '../../config/consensus-params.js';
import { createLogger } from '../../common/logger.js';
import type { ReindexSummary } from '../../reindex.js';
import { databaseCommand, locateDatabase, waitingEntries, type DatabaseOptions } from '../database-command.js';
import { count, plural } from '../format.js';
import { toCliError } from '../plain-errors.js';
import type { Terminal } from '../terminal.js';

const PROGRESS_EVERY_MS = 1_000;

export function reindexCommand(terminal: Terminal): Command {
  return databaseCommand('reindex', "rebuild a stopped node's database from its blocks")
    .description(
      'Rebuilds the database of a stopped node from the blocks in it, validating each again. Use it when a node says\nthat its database is damaged, or when you do not trust what is in it. The old file is kept aside.',
    )
    .option('--json', 'print the outcome as JSON')
    .addHelpText('after', '\nExamples:\n  minichain reindex --config config/node1.toml')
    .action(async (options: DatabaseOptions & { json?: boolean }) => {
      const { config, dataDir } = locateDatabase(options, terminal);
      const { reindex } = await import('../../reindex.js');
      const { logger: log } = createLogger({ logLevel: 'silent', logFormat: 'json' });
      try {
        const summary = reindex({ dataDir, params: paramsOf(config), log, onProgress: progressTo(terminal) });
        const text = options.json ? JSON.stringify(viewOf(dataDir, summary)) : describe(dataDir, summary);
        terminal.stdout.write(`${text}\n`);
      } catch (error) {
        throw toCliError(error);
      }
    });
}

function progressTo({ stderr }: Terminal): (done: number, total: number) => void {
  let nextMs = performance.now() + PROGRESS_EVERY_MS;
  return (done, total) => {
    if (performance.now() < nextMs) return;
    nextMs = performance.now() + PROGRESS_EVERY_MS;
    stderr.write(`reindex: ${count(done)} of about ${plural(total, 'block')}\n`);
  };
}

function viewOf(dataDir: string, { chainWork, ...summary }: ReindexSummary): object {
  return { dataDir, ...summary, chainWork: chainWork.toString(16).padStart(64, '0') };
}

function describe(dataDir: string, summary: ReindexSummary): string {
  const lost = [
    summary.unreadable > 0 && `${plural(summary.unreadable, 'place')} in the file could not be read`,
    summary.refused > 0 && `${plural(summary.refused, 'block')} did not pass validation`,
    summary.detached > 0 && `${plural(summary.detached, 'block')} left out for want of their ancestors`,
    summary.lostEntries > 0 && `${waitingEntries(summary.lostEntries)} unreadable`,
  ].filter((part) => part !== false);
  return [
    `Reindexed ${dataDir}: ${plural(summary.blocks, 'block')} kept, the tip is at height ${count(summary.height)}, ${waitingEntries(summary.entries)} kept.`,
    lost.length === 0
      ? 'Nothing was lost.'
      : `Lost: ${lost.join(', ')}. What is missing of the chain comes back from the peers after \`minichain start\`.`,
    `The old file is kept as ${summary.keptAs}; delete it when you no longer need it.`,
  ].join('\n');
}
