import type { BlockView, TransactionView } from '../chain/chain-schemas.js';
import type { NodeClient } from './node-client.js';

const PAGE_BLOCKS = 500;

/** An entry, and the block that holds it; null for the mempool. */
export interface FoundEntry {
  readonly entry: TransactionView;
  readonly block: BlockView | null;
}

/** What is read, page by page: the mempool, then blocks of the active chain from the newest on. */
export type Page = { readonly entries: readonly FoundEntry[]; readonly blocks: readonly BlockView[] };

/**
 * Reads the mempool and the newest blocks of a node, the newest first. REST has no search in texts, so this is one; the page
 * of a node does the same.
 * @param most blocks that are read at the most.
 */
export async function* newestEntries(client: NodeClient, most: number): AsyncGenerator<Page> {
  const { body: mempool } = await client.ask('GET /mempool', { query: { limit: 1_000 } });
  yield { entries: mempool.entries.map((entry) => ({ entry, block: null })), blocks: [] };
  let end: number | undefined;
  for (let left = most; left > 0;) {
    const limit = Math.min(PAGE_BLOCKS, left);
    const from = end === undefined ? undefined : Math.max(0, end - limit + 1);
    const query = from === undefined ? { limit } : { from, limit: end! - from + 1 };
    const { body: page } = await client.ask('GET /chain', { query });
    const blocks = page.blocks.toReversed();
    yield {
      entries: blocks.flatMap((block) => block.transactions.map((entry) => ({ entry, block }))),
      blocks,
    };
    left -= blocks.length;
    end = page.from - 1;
    if (end < 0 || blocks.length === 0) return;
  }
}
