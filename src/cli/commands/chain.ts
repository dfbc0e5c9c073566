import type { Command } from 'commander';
import type { BlockView, ChainPage, StoredBlock } from '../../chain/chain-schemas.js';
import { cutEnd, padEnd, padStart } from '../cells.js';
import { clientCommand, clientOf, print, wholeNumberArgument, type ClientOptions } from '../client-command.js';
import { bytes, count, moment, pairs, plural, printable, shortHash, table } from '../format.js';
import { ChainFollower } from '../live/follow-chain.js';
import { onChange } from '../live/on-change.js';
import { untilStopped } from '../live/until-stopped.js';
import type { NodeClient } from '../node-client.js';
import { resolveHash } from '../resolve-hash.js';
import { widthOf, type Terminal } from '../terminal.js';

/** --json has all of it. */
const MAX_DATA = 200;
const MAX_MINER = 20;
const MAX_NAME = 64;
const DEFAULT_LIMIT = 20;
const FOLLOW_PAUSE_MS = 100;
/** Of the columns of lines that come one by one: as wide as what usually stands in them. */
const FOLLOWED = { height: 9, miner: 10, entries: 7 };

interface ChainOptions extends ClientOptions {
  readonly from?: number;
  readonly limit: number;
  readonly follow?: boolean;
}

export function chainCommand(terminal: Terminal): Command {
  return clientCommand('chain', 'list the blocks of the active chain, by default the newest')
    .option('--from <height>', 'first height to list', wholeNumberArgument(0, Number.MAX_SAFE_INTEGER))
    .option('--limit <n>', 'how many blocks at most, up to 1000', wholeNumberArgument(1, 1000), DEFAULT_LIMIT)
    .option('--follow', 'go on with each new block, until Ctrl-C; with --json one line for each block')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain chain --limit 5\n  minichain chain --from 0 --json | jq .length\n  minichain chain --follow\n' +
        "  minichain chain --follow --json | jq -r '.transactions[].data // empty'",
    )
    .action(async (options: ChainOptions) => {
      const client = clientOf(options, terminal);
      const { from, limit } = options;
      const answer = await client.ask('GET /chain', { query: { from, limit } });
      if (options.follow) return followChain(client, options, terminal, answer.body);
      print(terminal, options, answer, (page) => showChain(page, widthOf(terminal.stdout)));
    });
}

export function blockCommand(terminal: Terminal): Command {
  return clientCommand('block', 'show one block with its transactions')
    .argument('<height|hash>', 'its height on the active chain, or the hash of any stored block, or its beginning')
    .addHelpText(
      'after',
      '\nExamples:\n  minichain block 0\n  minichain block 00008e01…0548\n  minichain block 12 --json',
    )
    .action(async (given: string, options: ClientOptions) => {
      const client = clientOf(options, terminal);
      const id = /^\d{1,16}$/.test(given) ? given : await resolveHash(client, given, 'block');
      const answer = await client.ask('GET /blocks/:id', { params: { id } });
      print(terminal, options, answer, (block) => showBlock(block, widthOf(terminal.stdout)));
    });
}

async function followChain(
  client: NodeClient,
  { json = false }: ChainOptions,
  terminal: Terminal,
  { blocks, from, length }: ChainPage,
): Promise<void> {
  const { stdout } = terminal;
  const write = (block: BlockView): void => {
    stdout.write(json ? `${JSON.stringify(block)}\n` : `${lineOf(block, widthOf(stdout))}\n`);
  };
  for (const block of blocks) write(block);
  const left = (low: number, high: number): void => {
    const what = low === high ? `block ${count(low)} has` : `blocks ${count(low)} to ${count(high)} have`;
    if (!json) stdout.write(`reorganisation: ${what} left the chain\n`);
  };
  const start = blocks.length === 0 ? Math.max(from, length) : from + blocks.length;
  const follower = new ChainFollower(client, { block: write, left }, { shown: blocks, start });
  await untilStopped((signal) =>
    onChange({
      client,
      terminal,
      signal,
      isRelevant: ({ type }) => type === 'tip',
      refresh: () => follower.advance(),
      pauseMs: FOLLOW_PAUSE_MS,
    }),
  );
}

/** One line for one block, in columns of a fixed width, because nobody knows what will come. */
function lineOf(block: BlockView, width: number): string {
  const cells = [
    padStart(count(block.index), FOLLOWED.height),
    width === Infinity ? printable(block.hash) : shortHash(block.hash),
    moment(block.timestamp),
    padEnd(printable(block.miner, MAX_MINER), FOLLOWED.miner),
    padStart(count(block.transactions.length - 1), FOLLOWED.entries),
    previewOf(block),
  ];
  return cutEnd(cells.join('  ').trimEnd(), width);
}

function showChain({ length, blocks }: ChainPage, width: number): string {
  const rows = blocks.map((block) => [
    block.index,
    printable(block.hash),
    moment(block.timestamp),
    printable(block.miner, MAX_MINER),
    block.transactions.length - 1,
    previewOf(block),
  ]);
  const heading = ['height', 'hash', 'time', 'miner', 'entries', 'first entry'];
  const fit = {
    width,
    cuts: { hash: 'middle', 'first entry': 'end', miner: 'end' },
    drops: ['first entry', 'time', 'miner'],
  } as const;
  const listed = blocks.length > 0 ? table([heading, ...rows], fit) : 'no blocks from that height on\n';
  return `${listed}${plural(length, 'block')} in all\n`;
}

function showBlock(block: StoredBlock, width: number): string {
  const { confirmations } = block;
  const facts = pairs(
    [
      ['height', count(block.index)],
      ['hash', printable(block.hash)],
      ['previous', printable(block.previousHash)],
      ['merkle root', printable(block.merkleRoot)],
      ['time', moment(block.timestamp)],
      ['miner', printable(block.miner, MAX_NAME)],
      ['difficulty', `${block.difficulty} (bits ${printable(block.bits)})`],
      ['nonce', count(block.nonce)],
      ['size', bytes(block.size)],
      [
        'confirmed',
        confirmations === 0 ? 'no: it is not on the active chain' : `${plural(confirmations, 'block')} deep`,
      ],
    ],
    width,
  );
  // A column of its own only where there is something to show: the lines are long as it is.
  const hasAuthors = block.transactions.some(({ author }) => author !== undefined);
  const rows = block.transactions.map(({ id, kind, author = '', data }) => [
    printable(id),
    kind,
    ...(hasAuthors ? [printable(author, MAX_NAME)] : []),
    data === null ? '' : printable(data, MAX_DATA),
  ]);
  const heading = ['transaction', 'kind', ...(hasAuthors ? ['author'] : []), 'data'];
  const fit = {
    width,
    cuts: { transaction: 'middle', author: 'end', data: 'end' },
    drops: ['author', 'kind'],
  } as const;
  return `${facts}\n${table([heading, ...rows], fit)}`;
}

function previewOf(block: BlockView): string {
  const entry = block.transactions.find(({ data }) => data !== null);
  return printable(entry?.data ?? '', MAX_DATA);
}
