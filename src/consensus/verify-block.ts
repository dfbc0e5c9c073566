import type { Block } from './block.js';
import { checkBlock } from './check-block.js';
import { checkProofOfWork } from './check-header.js';
import type { ConsensusParams } from './params.js';

declare const VERIFIED: unique symbol;

/** A block that obeys every context-free rule. Only verifyBlock makes one, so nobody checks a block twice or not at all. */
export type VerifiedBlock = Block & { readonly [VERIFIED]: true };

/**
 * All that can be checked of a block without the chain: proof of work, Merkle root, size, transactions. This is the
 * expensive part, so it is done before any database transaction opens.
 * @throws RuleError `high-hash`, or what checkBlock throws.
 */
export function verifyBlock(block: Block, params: ConsensusParams): VerifiedBlock {
  checkProofOfWork(block.header, block.hash, params);
  checkBlock(block, params);
  return block as VerifiedBlock;
}
