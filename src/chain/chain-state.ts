import { BlockTree, locatorHeights, type BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { planReorg } from '../consensus/fork-choice.js';

/** The chain in memory: the tree of stored blocks, and which of its branches is active. Never ahead of the disk. */
export class ChainState {
  #tree: BlockTree;
  /** The active chain; the index is the height. */
  readonly #active: BlockNode[];

  constructor(tree: BlockTree, tip: BlockNode) {
    this.#tree = tree;
    this.#active = [tree.genesis, ...planReorg(tree.genesis, tip).connect];
  }

  get tip(): BlockNode {
    return this.#active.at(-1)!;
  }

  get genesis(): BlockNode {
    return this.#tree.genesis;
  }

  /** Ends of all branches. */
  get tips(): ReadonlySet<BlockNode> {
    return this.#tree.tips;
  }

  node(hash: Hash): BlockNode | undefined {
    return this.#tree.get(hash);
  }

  /** The active chain's block at `height`. */
  nodeAt(height: number): BlockNode | undefined {
    return this.#active[height];
  }

  isActive(node: BlockNode): boolean {
    return this.#active[node.height] === node;
  }

  locator(): Hash[] {
    return locatorHeights(this.tip.height).map((height) => this.#active[height]!.hash);
  }

  /** The highest block of the active chain that the locator names; the genesis if it names none. */
  findLocatorFork(locator: readonly Hash[]): BlockNode {
    let fork = this.genesis;
    for (const hash of locator) {
      const node = this.#tree.get(hash);
      if (node !== undefined && node.height > fork.height && this.isActive(node)) fork = node;
    }
    return fork;
  }

  /** Ends of other branches with as much work as the active tip. */
  competingTips(): BlockNode[] {
    const { tip } = this;
    return [...this.#tree.tips].filter((other) => other !== tip && other.chainWork === tip.chainWork);
  }

  add(node: BlockNode): void {
    this.#tree.add(node);
  }

  moveTip(tip: BlockNode): void {
    const { forkPoint, connect } = planReorg(this.tip, tip);
    this.#active.length = forkPoint.height + 1;
    for (const node of connect) this.#active.push(node);
  }

  /** Takes blocks of side branches out, descendants included. */
  remove(removed: ReadonlySet<BlockNode>): void {
    const kept = new Set<BlockNode>();
    for (const tip of this.#tree.tips) {
      for (let at: BlockNode | undefined = tip; at !== undefined && !kept.has(at); at = at.parent) {
        if (!removed.has(at)) kept.add(at);
      }
    }
    kept.delete(this.genesis);
    const tree = new BlockTree(this.genesis);
    for (const node of [...kept].sort((a, b) => a.height - b.height)) tree.add(node);
    this.#tree = tree;
  }
}
