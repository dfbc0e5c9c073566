import { Slice, type Turns } from '../common/turns.js';
import type { LazyBlockView } from './block-view.js';
import type { LazyChainPage } from './chain-queries.js';

const CHUNK_CHARS = 65_536;

/** The JSON of one block, in chunks. */
export function writeBlock(block: LazyBlockView, turns: Turns): AsyncGenerator<Buffer> {
  return inChunks(textOfBlock(block), turns);
}

/** The JSON of a page of the chain, in chunks; a block is read when the reader has taken those before it. */
export function writePage(page: LazyChainPage, turns: Turns): AsyncGenerator<Buffer> {
  return inChunks(textOfPage(page), turns);
}

function* textOfPage({ blocks, ...head }: LazyChainPage): Generator<string> {
  yield openWith(head, 'blocks');
  let separator = '';
  for (const block of blocks) {
    yield separator;
    yield* textOfBlock(block);
    separator = ',';
  }
  yield ']}';
}

function* textOfBlock({ transactions, ...head }: LazyBlockView): Generator<string> {
  yield openWith(head, 'transactions');
  let separator = '';
  for (const transaction of transactions) {
    yield separator + JSON.stringify(transaction);
    separator = ',';
  }
  yield ']}';
}

/** An object with these fields, and the beginning of a list as its last. */
function openWith(head: object, list: string): string {
  return `${JSON.stringify(head).slice(0, -1)},"${list}":[`;
}

/**
 * Joins small pieces, so that not each of them costs a write. A reader that takes everything at once would otherwise keep
 * the event loop until the last piece.
 */
async function* inChunks(pieces: Iterable<string>, turns: Turns): AsyncGenerator<Buffer> {
  const slice = new Slice();
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (slice.isOver) {
      await turns.next();
      slice.restart();
    }
    if (chunk.length < CHUNK_CHARS) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  yield Buffer.from(chunk);
}
