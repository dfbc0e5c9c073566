import type { Logger } from '../common/logger.js';
import { findForkPoint, type BlockNode } from '../consensus/block-tree.js';
import type { RuleError } from '../consensus/rule-error.js';
import type { ChainMetrics } from './chain.metrics.js';

const MAX_TOLD = 1_000;

/**
 * Keeps branches aside, however much work they have, that would disconnect more than max_reorg_depth blocks; and tells,
 * once each, of branches that a checkpoint refuses.
 */
export class ReorgGuard {
  /** Ends of the branches refused so far. While the tip is only extended they get deeper, so they stay refused. */
  readonly #refused = new Set<BlockNode>();
  /** Blocks at the height of a checkpoint that were told of. */
  readonly #told = new Set<string>();

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
    this.metrics.reorgsRefused.inc({ reason: 'max_reorg_depth' });
    this.log.warn(
      { hash: node.hash, height: node.height, forkHeight: fork.height, depth, maxReorgDepth: this.maxDepth },
      'branch with more work refused: it would undo more blocks than max_reorg_depth allows',
    );
    return true;
  }

  /** A block or header at the height of a checkpoint is another one. */
  brokeCheckpoint({ message, data }: RuleError): void {
    if (this.#told.has(message)) return;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.add(message);
    this.metrics.reorgsRefused.inc({ reason: 'checkpoint' });
    this.log.warn(data, `branch refused by a checkpoint: ${message}`);
  }

  /** To be called when the tip moved to another branch: depths are others now. */
  reset(): void {
    this.#refused.clear();
  }
}
