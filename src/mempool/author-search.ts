import type { ChainService } from '../chain/chain.service.js';
import { viewTransaction } from '../chain/block-view.js';
import { openBlock } from '../consensus/block.js';
import { fingerprintOf } from '../consensus/ssh-signature.js';
import type { ConfirmedEntry } from './mempool-schemas.js';

/** One search reads no more than this of the chain; the answer says where the next one goes on. */
const MAX_BLOCKS = 1_000;
const MAX_BYTES = 64 * 1024 * 1024;

export interface AuthorSearch {
  /** SHA256 fingerprint of the key. */
  readonly author: string;
  /** Height to begin at, downwards; by default the tip. */
  readonly from?: number | undefined;
  /** The search ends with the block that holds as many entries. */
  readonly limit: number;
}

type Chain = Pick<ChainService, 'tip' | 'nodeAt' | 'getBlockBytes'>;

/**
 * The JSON of the entries of the active chain that a key signed, the newest block first, in pieces. Blocks are read as the
 * caller takes the pieces; some of these are empty, so that it can pause.
 */
export function* textOfAuthorSearch(chain: Chain, { author, from, limit }: AuthorSearch): Generator<string> {
  const { tip } = chain;
  const start = Math.min(from ?? tip.height, tip.height);
  yield `${JSON.stringify({ author, from: start }).slice(0, -1)},"entries":[`;
  const isAuthor = memoised((key) => fingerprintOf(key) === author);
  let height = start;
  let found = 0;
  let bytes = 0;
  for (; height >= 0 && found < limit && start - height < MAX_BLOCKS && bytes < MAX_BYTES; height--) {
    const node = chain.nodeAt(height);
    // The chain may have become shorter meanwhile.
    if (node === undefined) continue;
    const raw = chain.getBlockBytes(node.hash)!;
    bytes += raw.length;
    const place = { block: { index: height, hash: node.hash }, confirmations: tip.height - height + 1 };
    for (const transaction of openBlock(raw).transactions) {
      if (transaction.kind !== 'signed' || !isAuthor(transaction.publicKey)) {
        yield '';
        continue;
      }
      const entry: ConfirmedEntry = { ...viewTransaction(transaction), ...place };
      yield `${found++ > 0 ? ',' : ''}${JSON.stringify(entry)}`;
    }
  }
  yield `],"next":${height >= 0 ? height : null}}`;
}

/** Few keys sign many entries, and a fingerprint costs a hash. */
function memoised(test: (key: Buffer) => boolean): (key: Buffer) => boolean {
  const known = new Map<string, boolean>();
  return (key) => {
    const name = key.toString('latin1');
    const result = known.get(name) ?? test(key);
    known.set(name, result);
    return result;
  };
}
