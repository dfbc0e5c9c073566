import type { Command } from 'commander';
import type { TransactionView } from '../../chain/chain-schemas.js';
import { isHash } from '../../consensus/codec.js';
import { clientCommand, clientOf, wholeNumberArgument, type ClientOptions } from '../client-command.js';
import { CliError, EXIT } from '../exit.js';
import { count, nodeName, plural, printable, table } from '../format.js';
import { NodeBusyError, type NodeClient } from '../node-client.js';
import { newestEntries } from '../search-texts.js';
import { widthOf, type Terminal } from '../terminal.js';

const DEFAULT_BLOCKS = 2_000;
const DEFAULT_HITS = 50;
const MAX_NUMBER = 1_000_000;
const MAX_ABOUT = 200;

interface SearchOptions extends ClientOptions {
  readonly blocks: number;
  readonly limit: number;
}

/** One thing that was found. */
interface Hit {
  readonly kind: 'block' | 'entry';
  /** Hash of a block, id of an entry. */
  readonly id: string;
  /** Of the block, or the block that holds the entry; null while it is pending. */
  readonly height: number | null;
  /** The text of an entry; null for a block and a coinbase. */
  readonly data: string | null;
  readonly author?: string;
  readonly miner?: string;
}

interface Found {
  readonly hits: readonly Hit[];
  /** Blocks whose texts were read. */
  readonly blocks: number;
}

export function searchCommand(terminal: Terminal): Command {
  return clientCommand('search', 'find blocks and entries by height, hash, author or text', 'print the hits as JSON')
    .argument('<what>', 'a height, a hash or id, the SHA256:... of an author, or a part of a text, in any case')
    .option(
      '--blocks <n>',
      'read the texts of so many of the newest blocks',
      wholeNumberArgument(0, MAX_NUMBER),
      DEFAULT_BLOCKS,
    )
    .option('--limit <n>', 'stop after so many hits', wholeNumberArgument(1, MAX_NUMBER), DEFAULT_HITS)
    .addHelpText(
      'after',
      '\nTexts are read from the mempool and the newest blocks. Exit code 1: nothing was found.\n\n' +
        'Examples:\n  minichain search contract\n  minichain search 812\n  minichain search 00008e01e0b92fd2 --blocks 100000\n' +
        "  minichain search hello --json | jq -r '.hits[].id'",
    )
    .action(async (what: string, options: SearchOptions) => {
      if (what.trim() === '') throw new CliError('every text holds that: say what to look for', EXIT.usage);
      const found = await search(clientOf(options, terminal), what, options);
      const { stdout } = terminal;
      stdout.write(options.json ? `${JSON.stringify(found)}\n` : show(found, widthOf(stdout)));
      if (found.hits.length === 0) {
        throw new CliError(`nothing found in the mempool and ${plural(found.blocks, 'block')}`, EXIT.failed);
      }
    });
}

async function search(client: NodeClient, what: string, { blocks: most, limit }: SearchOptions): Promise<Found> {
  const hits = new Map<string, Hit>();
  const add = (hit: Hit | undefined): void => {
    if (hit !== undefined && hits.size < limit) hits.set(hit.id, hits.get(hit.id) ?? hit);
  };
  const wanted = what.toLowerCase();
  if (isHash(wanted) || /^\d{1,10}$/.test(wanted)) add(await findBlock(client, wanted));
  if (isHash(wanted)) add(await findEntry(client, wanted));
  const isPrefix = /^[\da-f]{4,}$/.test(wanted);
  const fits = ({ id, data, author }: TransactionView): boolean =>
    data?.toLowerCase().includes(wanted) === true || author === what || (isPrefix && id.startsWith(wanted));
  let read = 0;
  for await (const { entries, blocks } of newestEntries(client, most)) {
    for (const { hash, index, miner } of blocks) {
      if (isPrefix && hash.startsWith(wanted)) add({ kind: 'block', id: hash, height: index, data: null, miner });
    }
    for (const { entry, block } of entries) if (fits(entry)) add(hitOf(entry, block?.index ?? null));
    read += blocks.length;
    if (hits.size >= limit) break;
  }
  return { hits: [...hits.values()], blocks: read };
}

async function findBlock(client: NodeClient, id: string): Promise<Hit | undefined> {
  const block = await known(client.ask('GET /blocks/:id', { params: { id } }));
  return block && { kind: 'block', id: block.hash, height: block.index, data: null, miner: block.miner };
}

async function findEntry(client: NodeClient, id: string): Promise<Hit | undefined> {
  const entry = await known(client.ask('GET /transactions/:id', { params: { id } }));
  return entry && hitOf(entry, entry.block?.index ?? null);
}

function hitOf({ id, data, author }: TransactionView, height: number | null): Hit {
  return { kind: 'entry', id, height, data, ...(author === undefined ? {} : { author }) };
}

/** The answer, or undefined where the node has no such thing. */
async function known<T>(answer: Promise<{ readonly body: T }>): Promise<T | undefined> {
  try {
    return (await answer).body;
  } catch (error) {
    const isAnswer = error instanceof CliError && !(error instanceof NodeBusyError) && error.exitCode === EXIT.failed;
    if (isAnswer) return undefined;
    throw error;
  }
}

function show({ hits, blocks }: Found, width: number): string {
  if (hits.length === 0) return '';
  const rows = hits.map(({ kind, id, height, data, miner }) => [
    kind,
    height === null ? 'pending' : count(height),
    printable(id),
    data === null ? (miner === undefined ? 'a coinbase' : `mined by ${nodeName(miner)}`) : printable(data, MAX_ABOUT),
  ]);
  const fit = { width, cuts: { id: 'middle', about: 'end' }, drops: ['kind'] } as const;
  const listed = table([['kind', 'block', 'id', 'about'], ...rows], fit);
  return `${listed}${plural(hits.length, 'hit')}; the mempool and ${plural(blocks, 'block')} were read\n`;
}
