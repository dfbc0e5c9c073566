import { textWithList, textsOf } from '../common/write-json.js';
import type { LazyBlockView } from './block-view.js';
import type { LazyChainPage } from './chain-queries.js';

/** The JSON of one block, in pieces; a transaction is decoded when its piece is taken. */
export function textOfBlock({ transactions, ...head }: LazyBlockView): Iterable<string> {
  return textWithList(head, 'transactions', textsOf(transactions));
}

/** The JSON of a page of the chain, in pieces; a block is read when its first piece is taken. */
export function textOfPage({ blocks, ...head }: LazyChainPage): Iterable<string> {
  return textWithList(head, 'blocks', textsOfBlocks(blocks));
}

function* textsOfBlocks(blocks: Iterable<LazyBlockView>): Generator<Iterable<string>> {
  for (const block of blocks) yield textOfBlock(block);
}
