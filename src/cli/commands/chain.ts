import type { Command } from 'commander';
import type { BlockView, ChainPage, StoredBlock } from '../../chain/chain-schemas.js';
import { clientCommand, clientOf, print, wholeNumberArgument, type ClientOptions } from '../client-command.js';
import { CliError, EXIT } from '../exit.js';
import { followSync } from '../follow-sync.js';
import { bytes, count, moment, pairs, plural, printable, shortHash, table } from '../format.js';
import type { Terminal } from '../terminal.js';

const DATA_WIDTH = 40;
/** Enough to tell keys apart; --json has all of it. */
const AUTHOR_WIDTH = 20;
const DEFAULT_LIMIT = 20;

interface ChainOptions extends ClientOptions {
  readonly from?: number;
  readonly limit: number;
  readonly follow?: boolean;
}

export function chainCommand(terminal: Terminal): Command {
  return clientCommand('chain', 'list the blocks of the active chain, by default the newest')
    .option('--from <height>', 'first height to list', wholeNumberArgument(0, Number.MAX_SAFE_INTEGER))
    .option('--limit <n>', 'how many blocks at most, up to 1000', wholeNumberArgument(1, 1000), DEFAULT_LIMIT)
    .option('--follow', 'first show progress while the node syncs its chain, until it is in sync')
    .addHelpText('after', '\nExamples:\n  minichain chain --limit 5\n  minichain chain --from 0 --json | jq .length')
    .action(async (options: ChainOptions) => {
      const client = clientOf(options, terminal);
      if (options.follow) await followSync(client, terminal);
      const from = options.from === undefined ? '' : `&from=${options.from}`;
      print(terminal, options, await client.get<ChainPage>(`/chain?limit=${options.limit}${from}`), showChain);
    });
}

export function blockCommand(terminal: Terminal): Command {
  return clientCommand('block', 'show one block with its transactions')
    .argument('<height|hash>', 'its height on the active chain, or the hash of any stored block')
    .addHelpText('after', '\nExamples:\n  minichain block 0\n  minichain block 12 --json')
    .action(async (id: string, options: ClientOptions) => {
      if (!/^(\d{1,16}|[0-9a-f]{64})$/i.test(id)) {
        const wanted = 'a height (a whole number) or a block hash (64 hex digits)';
        throw new CliError(`a block is named by ${wanted}, got "${printable(id, 80)}"`, EXIT.usage);
      }
      const answer = await clientOf(options, terminal).get<StoredBlock>(`/blocks/${id.toLowerCase()}`);
      print(terminal, options, answer, showBlock);
    });
}

function showChain({ length, blocks }: ChainPage): string {
  const rows = blocks.map((block) => [
    block.index,
    shortHash(block.hash),
    moment(block.timestamp),
    printable(block.miner, 20),
    block.transactions.length - 1,
    previewOf(block),
  ]);
  const heading = ['height', 'hash', 'time', 'miner', 'entries', 'first entry'];
  const listed = blocks.length > 0 ? table([heading, ...rows]) : 'no blocks from that height on\n';
  return `${listed}${plural(length, 'block')} in all\n`;
}

function showBlock(block: StoredBlock): string {
  const { confirmations } = block;
  const facts = pairs([
    ['height', count(block.index)],
    ['hash', printable(block.hash)],
    ['previous', printable(block.previousHash)],
    ['merkle root', printable(block.merkleRoot)],
    ['time', moment(block.timestamp)],
    ['miner', printable(block.miner)],
    ['difficulty', `${block.difficulty} (bits ${printable(block.bits)})`],
    ['nonce', count(block.nonce)],
    ['size', bytes(block.size)],
    ['confirmed', confirmations === 0 ? 'no: it is not on the active chain' : `${plural(confirmations, 'block')} deep`],
  ]);
  // A column of its own only where there is something to show: the lines are long as it is.
  const hasAuthors = block.transactions.some(({ author }) => author !== undefined);
  const rows = block.transactions.map(({ id, kind, author = '', data }) => [
    printable(id),
    kind,
    ...(hasAuthors ? [printable(author, AUTHOR_WIDTH)] : []),
    data === null ? '' : printable(data, DATA_WIDTH),
  ]);
  return `${facts}\n${table([['transaction', 'kind', ...(hasAuthors ? ['author'] : []), 'data'], ...rows])}`;
}

function previewOf(block: BlockView): string {
  const entry = block.transactions.find(({ data }) => data !== null);
  return printable(entry?.data ?? '', DATA_WIDTH);
}
