import type { Command } from 'commander';
import type { Status } from '../../ops/status-schemas.js';
import { clientCommand, clientOf } from '../client-command.js';
import { describeSync } from '../describe-sync.js';
import { followSync } from '../follow-sync.js';
import { bytes, count, duration, hashRate, pairs, plural, printable } from '../format.js';
import { showAnswer, withWatch, type WatchOptions } from '../live/watch-answer.js';
import type { Terminal } from '../terminal.js';

export function statusCommand(terminal: Terminal): Command {
  return withWatch(clientCommand('status', 'show a node at a glance: chain, peers, mempool, mining, sync'))
    .option('--wait', 'first wait, with progress, until the node has the best chain of its peers')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain status\n  minichain status --watch\n  minichain status --url http://localhost:8093 --wait --json',
    )
    .action(async (options: WatchOptions & { wait?: boolean }) => {
      if (options.wait) await followSync(clientOf(options, terminal), terminal);
      await showAnswer<Status>(options, terminal, { ask: (client) => client.ask('GET /status', {}), show: showStatus });
    });
}

function showStatus(status: Status, width: number): string {
  const { peers, mempool, mining } = status;
  const upFor = `version ${printable(status.version, 20)}, up ${duration(status.uptimeSeconds * 1000)}`;
  return pairs(
    [
      ['node', `${printable(status.nodeId)} of network ${printable(status.network)} (${upFor})`],
      ['chain', `${plural(status.length, 'block')}, tip at height ${count(status.height)}`],
      ['tip', printable(status.tip)],
      ['difficulty', String(status.difficulty)],
      ['peers', `${count(peers.connected)} connected, ${count(peers.known)} known`],
      ['mempool', `${plural(mempool.transactions, 'entry', 'entries')}, ${bytes(mempool.bytes)}`],
      ['mining', showMining(mining)],
      ['sync', describeSync(status)],
    ],
    width,
  );
}

function showMining({ auto, active, hashRate: rate, maxHashRate }: Status['mining']): string {
  const limit = maxHashRate > 0 ? ` (at most ${hashRate(maxHashRate)})` : '';
  const state = (active ? `hashing at ${hashRate(rate)}` : 'idle') + limit;
  return auto ? `by itself, ${state}` : `on demand (\`minichain mine\`), ${state}`;
}
