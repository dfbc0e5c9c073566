import type { JSX } from 'preact';
import type { ChainPage, StoredBlock, TransactionView } from '../../chain/chain-schemas.js';
import type { MempoolPage, TransactionStatus } from '../../mempool/mempool-schemas.js';
import { count, plural } from '../model/format.js';
import { HOME_URL } from '../model/network.js';
import { excerpt } from '../model/printable.js';
import { getJson, RefusedError } from '../model/rest.js';
import { hrefOf, type Route } from '../model/route.js';
import { Panel } from '../ui/panel.jsx';
import { useAnswer } from '../ui/use-answer.js';

/** So many of the newest blocks are read for a text. */
const TEXT_BLOCKS = 2_000;
const PAGE_BLOCKS = 500;
const MOST_HITS = 50;
const MOST_TEXT = 120;

interface Hit {
  readonly to: Route;
  readonly title: string;
  readonly about: string;
}

interface Result {
  readonly hits: readonly Hit[];
  /** Where the hits come from. */
  readonly scope: string;
}

/** What was found by height, hash, id, author, or in the texts of the newest blocks and the mempool. */
export function SearchPage({ query }: { readonly query: string }): JSX.Element {
  const { value, error } = useAnswer(query, () => search(query));
  const title = `Search: ${excerpt(query, 40)}`;
  return (
    <Panel title={title} url={`${HOME_URL}/chain`} class="wide">
      {error !== undefined && <p class="error">{error}</p>}
      {value === undefined && error === undefined && <p class="faint">Searching…</p>}
      {value?.hits.length === 0 && <p>Nothing found.</p>}
      <ol class="hits">
        {value?.hits.map(({ to, title: name, about }) => (
          <li key={hrefOf(to)}>
            <a href={hrefOf(to)}>{name}</a> <bdi>{about}</bdi>
          </li>
        ))}
      </ol>
      {value !== undefined && <p class="faint">{value.scope}</p>}
    </Panel>
  );
}

async function search(query: string): Promise<Result> {
  const exact = [
    ...(/^\d{1,10}$/.test(query) ? await findBlock(query) : []),
    ...(/^[0-9a-f]{64}$/i.test(query) ? await findHash(query.toLowerCase()) : []),
  ];
  const { hits, blocks } = await findText(query);
  return {
    hits: [...exact, ...hits].slice(0, MOST_HITS),
    scope: `Texts of the mempool and of the newest ${plural(blocks, 'block')} were read.`,
  };
}

async function findHash(hash: string): Promise<Hit[]> {
  const entry = await known(getJson<TransactionStatus>(`${HOME_URL}/transactions/${hash}`));
  const found: Hit[] =
    entry === undefined
      ? []
      : [{ to: { name: 'entry', id: hash }, title: 'Entry', about: excerpt(entry.data ?? 'a coinbase', MOST_TEXT) }];
  return [...(await findBlock(hash)), ...found];
}

async function findBlock(id: string): Promise<Hit[]> {
  const block = await known(getJson<StoredBlock>(`${HOME_URL}/blocks/${id}`));
  if (block === undefined) return [];
  const about = `${plural(block.transactions.length - 1, 'entry', 'entries')}, mined by ${excerpt(block.miner, 24)}`;
  return [{ to: { name: 'block', id: block.hash }, title: `Block ${count(block.index)}`, about }];
}

async function findText(query: string): Promise<{ hits: Hit[]; blocks: number }> {
  const wanted = query.toLowerCase();
  const hits: Hit[] = [];
  const look = ({ id, data, author }: TransactionView, where: string): void => {
    if (data !== null && (data.toLowerCase().includes(wanted) || author === query))
      hits.push({ to: { name: 'entry', id }, title: where, about: excerpt(data, MOST_TEXT) });
  };
  const mempool = await getJson<MempoolPage>(`${HOME_URL}/mempool?limit=1000`);
  for (const entry of mempool.entries) look(entry, 'Mempool');
  let read = 0;
  let next: number | undefined;
  while (read < TEXT_BLOCKS && hits.length < MOST_HITS && next !== -1) {
    const end: number | undefined = next;
    const from = end === undefined ? undefined : Math.max(0, end - PAGE_BLOCKS + 1);
    const range = from === undefined ? `limit=${PAGE_BLOCKS}` : `from=${from}&limit=${end! - from + 1}`;
    const page = await getJson<ChainPage>(`${HOME_URL}/chain?${range}`);
    for (const { index, transactions } of page.blocks.toReversed()) {
      for (const entry of transactions) look(entry, `Block ${count(index)}`);
    }
    read += page.blocks.length;
    next = page.from - 1;
  }
  return { hits, blocks: read };
}

/** The answer, or undefined where the node knows no such thing. */
async function known<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RefusedError && error.status < 500) return undefined;
    throw error;
  }
}
