import type { Command } from 'commander';
import type { TransactionStatus } from '../../mempool/mempool-schemas.js';
import { clientCommand, clientOf, print, type ClientOptions } from '../client-command.js';
import { bytes, count, moment, pairs, plural, printable } from '../format.js';
import { resolveHash } from '../resolve-hash.js';
import { widthOf, type Terminal } from '../terminal.js';

export function txCommand(terminal: Terminal): Command {
  return clientCommand('tx', 'show one entry: its text, its author, and where it is')
    .argument('<id>', 'its id; the beginning is enough for entries of the newest 2,000 blocks')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain tx 4a5e1e4b\n  minichain tx 4a5e1e4b…a33b                                  as tables shorten it\n' +
        '  minichain tx 4a5e1e4b --json | jq -r .data',
    )
    .action(async (given: string, options: ClientOptions) => {
      const client = clientOf(options, terminal);
      const id = await resolveHash(client, given, 'entry');
      const answer = await client.ask('GET /transactions/:id', { params: { id } });
      print(terminal, options, answer, (body) => showEntry(body, widthOf(terminal.stdout)));
    });
}

function showEntry(entry: TransactionStatus, width: number): string {
  const { id, kind, status, block, confirmations, timestamp, salt, author, publicKey, miner, data } = entry;
  const state =
    block === null ? `${status}: no block holds it yet` : `${status}, ${plural(confirmations, 'block')} deep`;
  const facts = pairs(
    [
      ['id', printable(id)],
      ['kind', kind],
      ['state', state],
      ...(block === null
        ? []
        : ([
            ['block', count(block.index)],
            ['hash', printable(block.hash)],
          ] as const)),
      ...(timestamp === null ? [] : ([['posted', moment(timestamp)]] as const)),
      ...(salt ? ([['salt', printable(salt)]] as const) : []),
      ...(author === undefined ? [] : ([['author', printable(author)]] as const)),
      ...(publicKey === undefined ? [] : ([['key', printable(publicKey)]] as const)),
      ...(miner === undefined ? [] : ([['miner', printable(miner)]] as const)),
      ...(data === null ? [] : ([['size', bytes(Buffer.byteLength(data))]] as const)),
    ],
    width,
  );
  return data === null ? facts : `${facts}\n${printableLines(data)}\n`;
}

/** Line breaks of the text stay, but its lines stand apart from ours; nothing else in it can steer the terminal. */
function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${printable(line)}`.trimEnd())
    .join('\n');
}
