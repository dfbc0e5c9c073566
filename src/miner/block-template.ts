import { createBlock, type Block } from '../consensus/block.js';
import { medianTimePast, type BlockNode } from '../consensus/block-tree.js';
import { varintLength } from '../consensus/codec.js';
import { HEADER_BYTES, type BlockHeader } from '../consensus/header.js';
import { computeMerkleRoot } from '../consensus/merkle.js';
import { BLOCK_VERSION, type ConsensusParams } from '../consensus/params.js';
import { nextBits } from '../consensus/retarget.js';
import { createCoinbase } from '../consensus/coinbase.js';
import { type Entry, type Transaction } from '../consensus/transaction.js';

/** A block that lacks only its proof of work. */
export interface BlockTemplate {
  readonly parent: BlockNode;
  /** With nonce 0. */
  readonly header: BlockHeader;
  /** The coinbase first. */
  readonly transactions: readonly Transaction[];
  /** How many bytes of transactions still fit. */
  readonly roomBytes: number;
}

export interface TemplateOptions {
  readonly parent: BlockNode;
  /** The entries that wait, in order of arrival. */
  readonly transactions: readonly Entry[];
  readonly params: ConsensusParams;
  /** Node id, at most 64 bytes of UTF-8. */
  readonly miner: string;
  /** u64; makes the template differ from every other one on this parent. */
  readonly extraNonce: bigint;
  /** Since the epoch. */
  readonly nowMs: number;
}

/**
 * Builds the block to mine on `parent`: a coinbase, then each transaction in turn that still fits into maxBlockBytes. One
 * that does not fit is skipped, so that it does not delay those behind it. It comes first in the next block.
 */
export function buildTemplate(options: TemplateOptions): BlockTemplate {
  const { parent, params } = options;
  const coinbase = createCoinbase(parent.height + 1, options.extraNonce, options.miner);
  const chosen: Transaction[] = [coinbase];
  const countBytes = varintLength(options.transactions.length + 1);
  let roomBytes = params.maxBlockBytes - HEADER_BYTES - countBytes - coinbase.bytes.length;
  for (const transaction of options.transactions) {
    if (transaction.bytes.length > roomBytes) continue;
    chosen.push(transaction);
    roomBytes -= transaction.bytes.length;
  }
  const header: BlockHeader = {
    version: BLOCK_VERSION,
    previousHash: parent.hash,
    merkleRoot: computeMerkleRoot(chosen.map((transaction) => transaction.id)).root,
    time: Math.max(Math.floor(options.nowMs / 1000), medianTimePast(parent, params.medianTimeSpan) + 1),
    bits: nextBits(parent, params),
    nonce: 0,
  };
  return { parent, header, transactions: chosen, roomBytes };
}

/** The block that this template and the nonce that was found make. */
export function sealTemplate(template: BlockTemplate, nonce: number): Block {
  return createBlock({ ...template.header, nonce }, template.transactions);
}
