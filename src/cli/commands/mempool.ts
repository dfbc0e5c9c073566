import type { Command } from 'commander';
import type { MempoolPage } from '../../mempool/mempool-schemas.js';
import { clientCommand, clientOf, print, type ClientOptions } from '../client-command.js';
import { bytes, moment, plural, printable, table } from '../format.js';
import type { Terminal } from '../terminal.js';

const DATA_WIDTH = 40;
/** As long as a time. */
const AUTHOR_WIDTH = 20;

export function mempoolCommand(terminal: Terminal): Command {
  return clientCommand('mempool', 'list the entries that wait to be mined, in the order in which blocks take them')
    .addHelpText(
      'after',
      '\nEntries that a reorganisation took out of the chain come first, then all others as they arrived.',
    )
    .addHelpText('after', '\nExample:\n  minichain mempool --json | jq .transactions')
    .action(async (options: ClientOptions) => {
      print(terminal, options, await clientOf(options, terminal).get<MempoolPage>('/mempool'), showMempool);
    });
}

function showMempool({ transactions, bytes: size, entries }: MempoolPage): string {
  const rows = entries.map(({ id, timestamp, author = '', data }) => [
    printable(id),
    timestamp === null ? printable(author, AUTHOR_WIDTH) : moment(timestamp),
    printable(data ?? '', DATA_WIDTH),
  ]);
  const listed = rows.length > 0 ? table([['transaction', 'posted, or signed by', 'data'], ...rows]) : '';
  const rest = transactions > entries.length ? `, the first ${entries.length} are shown` : '';
  return `${listed}${plural(transactions, 'transaction')} pending, ${bytes(size)}${rest}\n`;
}
