import type { Logger } from '../common/logger.js';
import { findForkPoint, type BlockNode } from '../consensus/block-tree.js';
import type { ChainMetrics } from './chain.metrics.js';

/** Keeps branches aside, however much work they have, that would disconnect more than max_reorg_depth blocks. */
export class ReorgGuard {
  /** Ends of the branches refused so far. While the tip is only extended they get deeper, so they stay refused. */
  readonly #refused = new Set<BlockNode>();

  constructor(
    private readonly maxDepth: number | undefined,
    private readonly metrics: Pick<ChainMetrics, 'reorgsRefused'>,
    private readonly log: Logger,
  ) {}

  /** Must the branch that ends in `node` not become active in place of `tip`? Says so once for each branch. */
  refuses(node: BlockNode, tip: BlockNode): boolean {
    if (this.maxDepth === undefined) return false;
    if (node.parent !== undefined && this.#refused.delete(node.parent)) {
      this.#refused.add(node);
      return true;
    }
    const fork = findForkPoint(tip, node);
    const depth = tip.height - fork.height;
    if (depth <= this.maxDepth) return false;
    this.#refused.add(node);
    this.metrics.reorgsRefused.inc();
    this.log.warn(
      { hash: node.hash, height: node.height, forkHeight: fork.height, depth, maxReorgDepth: this.maxDepth },
      'branch with more work refused: it would undo more blocks than max_reorg_depth allows',
    );
    return true;
  }

  /** To be called when the tip moved to another branch: depths are others now. */
  reset(): void {
    this.#refused.clear();
  }
}
