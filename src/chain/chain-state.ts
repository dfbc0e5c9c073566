import { BlockTree, locatorHeights, type BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { planReorg } from '../consensus/fork-choice.js';
import { NodesByHeight } from './nodes-by-height.js';

/** The chain in memory: the tree of stored blocks, and which of its branches is active. Never ahead of the disk. */
export class ChainState {
  readonly #tree: BlockTree;
  readonly #byId: (BlockNode | undefined)[] = [];
  readonly #heights = new NodesByHeight();
  /** The active chain; the index is the height. */
  readonly #active: BlockNode[];

  constructor(tree: BlockTree, tip: BlockNode) {
    this.#tree = tree;
    for (const node of tree.nodes) this.#index(node);
    this.#active = [tree.genesis, ...planReorg(tree.genesis, tip).connect];
  }

  get tip(): BlockNode {
    return this.#active.at(-1)!;
  }

  get genesis(): BlockNode {
    return this.#tree.genesis;
  }

  node(hash: Hash): BlockNode | undefined {
    return this.#tree.get(hash);
  }

  /** The stored block with this id (see BlockNode.id). */
  nodeById(id: number): BlockNode | undefined {
    return this.#byId[id];
  }

  /** The active chain's block at `height`. */
  nodeAt(height: number): BlockNode | undefined {
    return this.#active[height];
  }

  /** Height of the highest stored block; with retargeting, a side branch may be longer than the active chain. */
  get topHeight(): number {
    return this.#heights.top;
  }

  /** All stored blocks at `height`, in order of arrival. */
  nodesAt(height: number): readonly BlockNode[] {
    return this.#heights.at(height);
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
    this.#index(node);
  }

  #index(node: BlockNode): void {
    this.#byId[node.id] = node;
    this.#heights.add(node);
  }

  moveTip(tip: BlockNode): void {
    const { forkPoint, connect } = planReorg(this.tip, tip);
    this.#active.length = forkPoint.height + 1;
    for (const node of connect) this.#active.push(node);
  }
}
