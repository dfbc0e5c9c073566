import { checkTransactionCount, type Block } from './block.js';
import type { Hash } from './codec.js';
import { computeMerkleRoot } from './merkle.js';
import type { ConsensusParams } from './params.js';
import { RuleError } from './rule-error.js';
import { checkTransaction, checkTransactionSize } from './transaction.js';

/**
 * Context-free: is the body whole and does the header commit to it? May look at block and parameters only (Bitcoin's
 * CheckBlock). Signatures are left to BlockVerification. A code whose verdict is `body` speaks of the body that came, not of the header.
 * @throws RuleError `bad-blk-count`, `bad-txnmrklroot`, `bad-txns-duplicate`, `bad-txn-64-bytes`, `bad-blk-length`, `bad-cb-missing`, `bad-cb-multiple`,
 *   `txn-already-in-chain` (twice in this block), or what checkTransaction throws.
 */
export function checkBlock(block: Block, params: Pick<ConsensusParams, 'maxBlockBytes'>): void {
  const { transactions } = block;
  checkTransactionCount(transactions.length);
  // What speaks of the body alone comes first, so that afterwards every broken rule is the header's own fault, for good.
  const { root, mutated } = computeMerkleRoot(transactions.map((transaction) => transaction.id));
  if (root !== block.header.merkleRoot) {
    throw new RuleError('bad-txnmrklroot', `Merkle root is ${root}, the header says ${block.header.merkleRoot}`);
  }
  // After the root: a mutated list has the root of the honest one, so only here is it known to be a forgery of it.
  if (mutated) throw new RuleError('bad-txns-duplicate', 'a row of the Merkle tree repeats a node (CVE-2012-2459)');
  // An inner row of the honest tree, its pairs of ids read as transactions, has the honest root too. Such a list has
  // no coinbase, so unless its 64 bytes are seen first it would condemn the honest header as `bad-cb-missing`.
  for (const transaction of transactions) checkTransactionSize(transaction);
  if (block.bytes.length > params.maxBlockBytes) {
    throw new RuleError('bad-blk-length', `block has ${block.bytes.length} bytes, ${params.maxBlockBytes} allowed`, {
      bytes: block.bytes.length,
    });
  }
  if (transactions[0]?.kind !== 'coinbase') {
    throw new RuleError('bad-cb-missing', 'the first transaction is not a coinbase');
  }
  const seen = new Set<Hash>();
  for (const [index, transaction] of transactions.entries()) {
    if (index > 0 && transaction.kind === 'coinbase') {
      throw new RuleError('bad-cb-multiple', `transaction ${index} is a second coinbase`, { index });
    }
    checkTransaction(transaction);
    if (seen.has(transaction.id)) {
      throw new RuleError('txn-already-in-chain', `transaction ${transaction.id} stands twice in the block`, { index });
    }
    seen.add(transaction.id);
  }
}

/**
 * Contextual: does the coinbase name the height that the block stands at?
 * @throws RuleError `bad-cb-height`.
 */
export function checkBlockContext(block: Block, height: number): void {
  const coinbase = block.transactions[0];
  if (coinbase?.kind !== 'coinbase' || coinbase.height !== height) {
    const found = coinbase?.kind === 'coinbase' ? coinbase.height : -1;
    throw new RuleError('bad-cb-height', `coinbase says height ${found}, the block stands at ${height}`, {
      found,
      expected: height,
    });
  }
}

/**
 * Connecting: an id stands at most once in a chain. `isInChain` answers for the chain that ends at the block's parent.
 * @throws RuleError `txn-already-in-chain`.
 */
export function checkConnect(block: Block, isInChain: (id: Hash) => boolean): void {
  for (const transaction of block.transactions) {
    if (isInChain(transaction.id)) {
      throw new RuleError('txn-already-in-chain', `transaction ${transaction.id} already stands in this chain`, {
        id: transaction.id,
      });
    }
  }
}
