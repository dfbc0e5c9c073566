import { findForkPoint, type BlockNode } from './block-tree.js';

/** What has to change to make `to` the tip. Blocks to disconnect from the tip down, to connect from the fork up. */
export interface ReorgPlan {
  readonly forkPoint: BlockNode;
  readonly disconnect: readonly BlockNode[];
  readonly connect: readonly BlockNode[];
}

/** Most cumulative work wins; on a tie the present tip, which was seen first, stays. */
export function isBetterTip(candidate: BlockNode, tip: BlockNode): boolean {
  return candidate.chainWork > tip.chainWork;
}

/** Proposes the way from the tip `from` to the tip `to`; changes nothing. */
export function planReorg(from: BlockNode, to: BlockNode): ReorgPlan {
  const forkPoint = findForkPoint(from, to);
  const branch = (tip: BlockNode): BlockNode[] => {
    const nodes: BlockNode[] = [];
    for (let at = tip; at !== forkPoint; at = at.parent!) nodes.push(at);
    return nodes;
  };
  return { forkPoint, disconnect: branch(from), connect: branch(to).reverse() };
}
