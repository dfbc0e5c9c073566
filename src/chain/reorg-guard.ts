import type { Logger } from '../common/logger.js';
import { findForkPoint, type BlockNode } from '../consensus/block-tree.js';
import type { RuleError } from '../consensus/rule-error.js';
import type { ChainMetrics } from './chain.metrics.js';

const MAX_REPORTED = 1_000;

/**
 * Keeps branches aside that would disconnect more than max_reorg_depth blocks, however much work they have; and reports
 * branches that a checkpoint refuses, once each.
 */
export class ReorgGuard {
  /** Ends of the branches refused so far. While the tip is only extended they get deeper, so they stay refused. */
  readonly #refused = new Set<BlockNode>();
  /** Messages about blocks at the height of a checkpoint that were reported. */
  readonly #reported = new Set<string>();

  constructor(
    private readonly maxDepth: number | undefined,
    private readonly metrics: Pick<ChainMetrics, 'reorgsRefused'>,
    private readonly log: Logger,
  ) {}

  /** Lets the branch that ends in `node` become active in place of `tip`, or refuses it, and says so once for each branch. */
  admit(node: BlockNode, tip: BlockNode): boolean {
    if (this.maxDepth === undefined) return true;
    if (node.parent !== undefined && this.#refused.delete(node.parent)) {
      this.#refused.add(node);
      return false;
    }
    const fork = findForkPoint(tip, node);
    const depth = tip.height - fork.height;
    if (depth <= this.maxDepth) return true;
    this.#refused.add(node);
    this.metrics.reorgsRefused.inc({ reason: 'max_reorg_depth' });
    this.log.warn(
      { hash: node.hash, height: node.height, forkHeight: fork.height, depth, maxReorgDepth: this.maxDepth },
      `Branch with more work refused: it would disconnect ${depth} blocks, max_reorg_depth allows ${this.maxDepth}`,
    );
    return false;
  }

  /** A block or header at the height of a checkpoint is another one. */
  brokeCheckpoint({ message, data }: RuleError): void {
    if (this.#reported.has(message)) return;
    if (this.#reported.size >= MAX_REPORTED) this.#reported.clear();
    this.#reported.add(message);
    this.metrics.reorgsRefused.inc({ reason: 'checkpoint' });
    this.log.warn(data, `Branch refused by a checkpoint: ${message}`);
  }

  /** Call it when the tip moved to another branch: the depths changed. */
  reset(): void {
    this.#refused.clear();
  }
}
