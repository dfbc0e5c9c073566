import type { ChainService } from '../chain/chain.service.js';
import { BlockDamagedError } from '../chain/chain.store.js';
import type { Hash } from '../consensus/codec.js';
import type { BodyOf } from './messages.js';
import { LIMITS, decodeHashes } from './wire.js';

/**
 * Answers GetBlocks by hash, or by height on the active chain, up to what one message may hold. Where one of the blocks
 * is damaged here, the answer is empty: without that one alone it would look as if this node held blocks back.
 */
export function serveBlocks(chain: ChainService, message: BodyOf<'getBlocks'>): BodyOf<'blocks'> {
  try {
    return { blocks: firstOf(chain, message) };
  } catch (error) {
    if (error instanceof BlockDamagedError) return { blocks: [] };
    throw error;
  }
}

function firstOf(chain: ChainService, message: BodyOf<'getBlocks'>): { raw: Buffer }[] {
  const blocks: { raw: Buffer }[] = [];
  let bytes = 0;
  for (const raw of found(chain, message)) {
    if (blocks.length > 0 && bytes + raw.length > LIMITS.blocksBytes) break;
    blocks.push({ raw });
    bytes += raw.length;
  }
  return blocks;
}

function* found(chain: ChainService, { hashes, startIndex, limit }: BodyOf<'getBlocks'>): Generator<Buffer> {
  if (hashes.length > 0) {
    for (const hash of decodeHashes(hashes, LIMITS.blocksRequested)) {
      const raw = chain.getBlockBytes(hash);
      if (raw !== undefined) yield raw;
    }
    return;
  }
  const end = startIndex + Math.min(limit === 0 ? LIMITS.blocksRequested : limit, LIMITS.blocksRequested);
  for (let height = startIndex; height < end; height++) {
    const node = chain.nodeAt(height);
    const raw = node === undefined ? undefined : chain.getBlockBytes(node.hash);
    if (raw === undefined) return;
    yield raw;
  }
}

/** A block that is damaged on this disk is not there for others: they get it from somebody else. */
export function intactBlock(chain: ChainService, hash: Hash): Buffer | undefined {
  try {
    return chain.getBlockBytes(hash);
  } catch (error) {
    if (error instanceof BlockDamagedError) return undefined;
    throw error;
  }
}
