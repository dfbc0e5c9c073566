import type { Command } from 'commander';
import type { Status } from '../../ops/status-schemas.js';
import { clientCommand, clientOf, print, type ClientOptions } from '../client-command.js';
import { describeSync } from '../describe-sync.js';
import { followSync } from '../follow-sync.js';
import { bytes, count, duration, hashRate, pairs, plural, printable } from '../format.js';
import type { Terminal } from '../terminal.js';

export function statusCommand(terminal: Terminal): Command {
  return clientCommand('status', 'show a node at a glance: chain, peers, mempool, mining, sync')
    .option('--watch', 'show progress while the node syncs its chain; ends when it is in sync')
    .addHelpText('after', '\nExamples:\n  minichain status\n  minichain status --url http://localhost:8093 --watch')
    .action(async (options: ClientOptions & { watch?: boolean }) => {
      const client = clientOf(options, terminal);
      const answer = options.watch ? await followSync(client, terminal) : await client.get<Status>('/status');
      print(terminal, options, answer, showStatus);
    });
}

function showStatus(status: Status): string {
  const { peers, mempool, mining } = status;
  const upFor = `version ${printable(status.version, 20)}, up ${duration(status.uptimeSeconds * 1000)}`;
  return pairs([
    ['node', `${printable(status.nodeId)} of network ${printable(status.network)} (${upFor})`],
    ['chain', `${plural(status.length, 'block')}, tip at height ${count(status.height)}`],
    ['tip', printable(status.tip)],
    ['difficulty', String(status.difficulty)],
    ['peers', `${count(peers.connected)} connected, ${count(peers.known)} known`],
    ['mempool', `${plural(mempool.transactions, 'transaction')}, ${bytes(mempool.bytes)}`],
    ['mining', showMining(mining)],
    ['sync', describeSync(status)],
  ]);
}

function showMining({ auto, active, hashRate: rate, maxHashRate }: Status['mining']): string {
  const limit = maxHashRate > 0 ? ` (at most ${hashRate(maxHashRate)})` : '';
  const state = (active ? `hashing at ${hashRate(rate)}` : 'idle') + limit;
  return auto ? `by itself, ${state}` : `on demand (\`minichain mine\`), ${state}`;
}
