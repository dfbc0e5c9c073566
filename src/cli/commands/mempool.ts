import type { Command } from 'commander';
import type { TransactionView } from '../../chain/chain-schemas.js';
import type { EntryEvent } from '../../events/event-schemas.js';
import type { MempoolPage } from '../../mempool/mempool-schemas.js';
import { cutEnd } from '../cells.js';
import { clientCommand, clientOf, print, type ClientOptions } from '../client-command.js';
import { bytes, clockTime, count, moment, plural, printable, shortHash, table } from '../format.js';
import { followEvents } from '../live/event-stream.js';
import { untilStopped } from '../live/until-stopped.js';
import { showAnswer, withWatch, type Shown, type WatchOptions } from '../live/watch-answer.js';
import { CliError, EXIT } from '../exit.js';
import type { NodeClient } from '../node-client.js';
import { widthOf, type Terminal } from '../terminal.js';

/** --json has all of it. */
const MAX_DATA = 200;
const MAX_AUTHOR = 64;
/** Of the entries that change together, so many have a line each. */
const MAX_NAMED = 20;

interface MempoolOptions extends WatchOptions {
  readonly follow?: boolean;
}

export function mempoolCommand(terminal: Terminal): Command {
  return withWatch(
    clientCommand(
      'mempool',
      'list the entries that wait to be mined, in the order in which blocks take them',
      'print the body of the REST answer as it is, with --follow the events',
    ),
  )
    .option('--follow', 'go on with a line for each entry that comes, is confirmed or comes back, until Ctrl-C')
    .addHelpText(
      'after',
      '\nEntries that a reorganisation took out of the chain come first, then all others as they arrived.',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  minichain mempool --json | jq .transactions\n  minichain mempool --watch\n  minichain mempool --follow',
    )
    .action(async (options: MempoolOptions) => {
      if (options.follow && options.watch) throw new CliError('give --watch or --follow, not both', EXIT.usage);
      const shown = { ask: (client: NodeClient) => client.ask('GET /mempool', {}), show: showMempool };
      if (options.follow) await followMempool(clientOf(options, terminal), options, terminal, shown);
      else await showAnswer<MempoolPage>(options, terminal, shown);
    });
}

/** First what is there, then entries as events tell of them, with their texts where they can still be had. */
async function followMempool(
  client: NodeClient,
  options: ClientOptions,
  terminal: Terminal,
  shown: Shown<MempoolPage>,
): Promise<void> {
  const { json } = options;
  const { stdout, stderr } = terminal;
  const width = widthOf(stdout);
  const tell = async (event: EntryEvent): Promise<void> => {
    if (json) {
      stdout.write(`${JSON.stringify(event)}\n`);
      return;
    }
    const named = event.ids.slice(0, MAX_NAMED);
    const state = event.block === null ? event.state : `in block ${count(event.block.height)}`;
    const write = (text: string): unknown =>
      stdout.write(`${cutEnd(`${clockTime(event.atMs)}  ${state.padEnd(12)}  ${text}`, width)}\n`);
    for (const id of named) write(event.state === 'confirmed' ? idText(id, width) : await textOf(client, id, width));
    const more = event.count - named.length;
    if (more > 0) write(plural(more, 'more entry', 'more entries'));
  };
  await untilStopped(async (signal, stop) => {
    // The stream first: what comes while the list is fetched is told after it.
    const { promise: isTried, resolve: tried } = Promise.withResolvers<void>();
    let isListed = false;
    const list = async (): Promise<void> => {
      await isTried;
      const answer = await shown.ask(client);
      if (!json) print(terminal, options, answer, (page) => shown.show(page, width));
      isListed = true;
    };
    const listed = list();
    let last = listed;
    const stream = followEvents(
      client,
      {
        opened: tried,
        event: (event) => {
          // One after the other, as they happened.
          if (event.type === 'entry') last = last.then(() => tell(event)).catch(stop);
        },
        lost: (reason) => {
          if (isListed) stderr.write(`minichain: ${client.url} does not answer: ${reason}; still waiting\n`);
          tried();
        },
      },
      signal,
    );
    await Promise.all([listed, stream]).finally(stop);
    await last;
  });
}

async function textOf(client: NodeClient, id: string, width: number): Promise<string> {
  const answer = await client.ask('GET /transactions/:id', { params: { id } }).catch(() => undefined);
  return `${idText(id, width)}  ${printable(answer?.body.data ?? '', MAX_DATA)}`;
}

function idText(id: string, width: number): string {
  return width === Infinity ? printable(id) : shortHash(id);
}

function showMempool({ transactions, bytes: size, entries }: MempoolPage, width: number): string {
  const rows = entries.map(({ id, timestamp, author, data }) => [
    printable(id),
    postedText({ timestamp, author }),
    printable(data ?? '', MAX_DATA),
  ]);
  const heading = ['entry', 'posted, or signed by', 'data'];
  const fit = { width, cuts: { entry: 'middle', data: 'end', 'posted, or signed by': 'end' } } as const;
  const listed = rows.length > 0 ? table([heading, ...rows], fit) : '';
  const rest = transactions > entries.length ? `, the first ${entries.length} are shown` : '';
  return `${listed}${plural(transactions, 'entry', 'entries')} pending, ${bytes(size)}${rest}\n`;
}

function postedText({ timestamp, author = '' }: Pick<TransactionView, 'timestamp' | 'author'>): string {
  return timestamp === null ? printable(author, MAX_AUTHOR) : moment(timestamp);
}
