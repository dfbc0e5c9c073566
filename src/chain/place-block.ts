import type { Block } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { checkConnect } from '../consensus/check-block.js';
import type { Hash } from '../consensus/codec.js';
import { isBetterTip, planReorg, type ReorgPlan } from '../consensus/fork-choice.js';
import { RuleError } from '../consensus/rule-error.js';
import type { ChainStore } from './chain.store.js';
import type { Draft, StoredOutcome } from './draft.js';
import type { ReorgGuard } from './reorg-guard.js';

/**
 * Finds the place of a block whose header and body are valid, and writes it there: on top of the active chain, on a
 * branch that becomes active by it, or aside. Each check precedes each write. Runs inside the commit of `draft`.
 * @throws RuleError `txn-already-in-chain`, or `bad-prevblk` when an older block of its branch does not connect.
 */
export function placeBlock(
  block: Block,
  node: BlockNode,
  draft: Draft,
  store: ChainStore,
  guard: ReorgGuard,
): StoredOutcome {
  if (node.parent === draft.tip) {
    checkConnect(block, (id) => store.findTransaction(id) !== undefined);
    store.saveBlock(block, node);
    store.connect(block, node.height);
    return { kind: 'extended', node };
  }
  if (!isBetterTip(node, draft.tip) || guard.refuses(node, draft.tip)) {
    store.saveBlock(block, node);
    return { kind: 'side', node };
  }
  const plan = planReorg(draft.tip, node);
  const blockOf = (at: BlockNode): Block => (at === node ? block : draft.block(at));
  checkBranch(plan, blockOf, draft, store);
  store.saveBlock(block, node);
  for (const at of plan.disconnect) store.disconnect(blockOf(at), at.height);
  for (const at of plan.connect) store.connect(blockOf(at), at.height);
  guard.reset();
  return { kind: 'reorganised', node, depth: plan.disconnect.length };
}

/**
 * Does the whole branch connect? Asked of the branch itself: what the fork leaves behind may stand in it again. An
 * older block of it that does not connect is invalid from now on, with all that stand on it.
 */
function checkBranch(
  { forkPoint, connect }: ReorgPlan,
  blockOf: (node: BlockNode) => Block,
  draft: Draft,
  store: ChainStore,
): void {
  const connecting = new Set<Hash>();
  const isInBranch = (id: Hash): boolean =>
    connecting.has(id) || (store.findTransaction(id)?.height ?? Infinity) <= forkPoint.height;
  for (const node of connect) {
    const block = blockOf(node);
    try {
      checkConnect(block, isInBranch);
    } catch (error) {
      if (!(error instanceof RuleError) || node === connect.at(-1)) throw error;
      for (const removed of draft.removeBranch(node)) {
        store.deleteBlock(removed.hash);
        store.saveInvalid(removed.hash, removed === node ? error.code : 'bad-prevblk');
      }
      throw new RuleError('bad-prevblk', `ancestor ${node.hash} is invalid: ${error.message}`, { ancestor: node.hash });
    }
    for (const transaction of block.transactions) connecting.add(transaction.id);
  }
}
