import type { Block } from './block.js';
import { checkBlock } from './check-block.js';
import { checkProofOfWork } from './check-header.js';
import type { Hash } from './codec.js';
import type { ConsensusParams } from './params.js';
import { checkSignature, hasSignature, type Transaction } from './transaction.js';

declare const VERIFIED: unique symbol;

/** A block that obeys every context-free rule. Only this file makes one, so nobody checks a block twice or not at all. */
export type VerifiedBlock = Block & { readonly [VERIFIED]: true };

/** Remembers signatures that were found right on this network, by the ids of their transactions. An id commits to all bytes. */
export interface CheckedSignatures {
  has(id: Hash): boolean;
  add(id: Hash): void;
}

/** How many signatures may still be checked before others get their turn; each check takes one off. */
export interface SignatureAllowance {
  left: number;
}

/**
 * Checks all that can be checked of a block without the chain: proof of work, Merkle root, size, transactions; last the
 * signatures, in steps, because 10,000 of them take about a second. This is the expensive part, so it is done before any
 * database transaction opens.
 */
export class BlockVerification {
  /** Signatures that are still to be checked, from the end; undefined before all other rules are. */
  #unchecked: Transaction[] | undefined;

  /** @param checked signatures that need no check; by default all are checked. */
  constructor(
    private readonly block: Block,
    private readonly params: ConsensusParams,
    private readonly checked?: CheckedSignatures,
  ) {}

  /**
   * Checks as many signatures as are allowed; the first step checks all other rules before.
   * @returns the block after the last step. @throws RuleError `high-hash`, what checkSignature throws, or what checkBlock throws.
   */
  step(allowance: SignatureAllowance): VerifiedBlock | undefined {
    const unchecked = (this.#unchecked ??= this.#checkAllElse());
    for (; allowance.left > 0 && unchecked.length > 0; allowance.left--) {
      const transaction = unchecked.at(-1)!;
      checkSignature(transaction, this.params.genesis.hash);
      this.checked?.add(transaction.id);
      unchecked.pop();
    }
    return unchecked.length === 0 ? (this.block as VerifiedBlock) : undefined;
  }

  #checkAllElse(): Transaction[] {
    checkProofOfWork(this.block.header, this.block.hash, this.params);
    checkBlock(this.block, this.params);
    const unchecked: Transaction[] = [];
    for (const transaction of this.block.transactions.toReversed()) {
      if (!hasSignature(transaction)) continue;
      if (this.checked?.has(transaction.id)) this.checked.add(transaction.id);
      else unchecked.push(transaction);
    }
    return unchecked;
  }
}

/**
 * Verifies a block in one step.
 * @throws RuleError as BlockVerification.
 */
export function verifyBlock(block: Block, params: ConsensusParams, checked?: CheckedSignatures): VerifiedBlock {
  return new BlockVerification(block, params, checked).step({ left: Number.POSITIVE_INFINITY })!;
}
