import type { Block } from '../../consensus/block.js';
import type { BlockHeader } from '../../consensus/header.js';
import type { ConsensusParams } from '../../consensus/params.js';
import type { RuleCode } from '../../consensus/rule-error.js';
import type { Consensus } from '../browser/load-consensus.js';

/** What a node would say of a block of the rewritten chain. */
export interface Judgement {
  /** Undefined where the block breaks no rule. */
  readonly code: RuleCode | undefined;
  readonly reason: string;
}

export type Rules = Pick<
  Consensus,
  | 'createBlock'
  | 'verifyBlock'
  | 'checkBlockContext'
  | 'computeMerkleRoot'
  | 'encodeDataTransaction'
  | 'encodeSignedTransaction'
  | 'RuleError'
  | 'workOf'
>;

/** The block with another text in one entry. Nothing else changes: the header still commits to the old text. */
export function changeText(rules: Rules, block: Block, entryId: string, text: string): Block {
  const transactions = block.transactions.map((transaction) => {
    if (transaction.id !== entryId || transaction.kind === 'coinbase') return transaction;
    // The signature stays the old one: nobody here has the key.
    if (transaction.kind === 'signed') return rules.encodeSignedTransaction(text, transaction);
    return rules.encodeDataTransaction(text, transaction.timestampMs, transaction.salt);
  });
  return rules.createBlock(block.header, transactions);
}

/** The block with a header that commits to its entries, and so with another hash. */
export function repairRoot(rules: Rules, block: Block): Block {
  const { root } = rules.computeMerkleRoot(block.transactions.map(({ id }) => id));
  return withHeader(rules, block, { merkleRoot: root });
}

export function withHeader(rules: Rules, block: Block, changes: Partial<BlockHeader>): Block {
  return rules.createBlock({ ...block.header, ...changes }, block.transactions);
}

/** What is known of a stretch of the chain. */
export interface Stretch {
  /** Height of the first block. */
  readonly firstHeight: number;
  /** Hash of the block below it. */
  readonly parentHash: string;
  readonly params: ConsensusParams;
  /** Ids of the entries whose signatures the node has checked; here each takes a thousandth of a second. */
  readonly checked: Set<string>;
}

/**
 * Judges each block of a chain as a node would that gets them in this order.
 */
export function judge(
  rules: Rules,
  blocks: readonly Block[],
  { firstHeight, parentHash, params, checked }: Stretch,
): Judgement[] {
  const judgements: Judgement[] = [];
  let parent = { hash: parentHash, isValid: true };
  for (const [i, block] of blocks.entries()) {
    const judgement = judgeOne(rules, block, firstHeight + i, parent, params, checked);
    judgements.push(judgement);
    parent = { hash: block.hash, isValid: judgement.code === undefined };
  }
  return judgements;
}

function judgeOne(
  rules: Rules,
  block: Block,
  height: number,
  parent: { readonly hash: string; readonly isValid: boolean },
  params: ConsensusParams,
  checked: Set<string>,
): Judgement {
  try {
    rules.verifyBlock(block, params, checked);
    rules.checkBlockContext(block, height);
  } catch (error) {
    if (!(error instanceof rules.RuleError)) throw error;
    return { code: error.code, reason: error.message };
  }
  if (block.header.previousHash !== parent.hash) {
    const named = block.header.previousHash.slice(0, 12);
    return {
      code: 'bad-prevblk',
      reason: `its header names ${named}… as its parent, and the block below it has another hash now`,
    };
  }
  if (!parent.isValid) return { code: 'bad-prevblk', reason: 'its parent is invalid' };
  return { code: undefined, reason: 'breaks no rule' };
}

/** Expected number of hashes behind these blocks. */
export function workBehind(rules: Rules, blocks: readonly Block[]): bigint {
  return blocks.reduce((sum, { header }) => sum + rules.workOf(header.bits), 0n);
}
