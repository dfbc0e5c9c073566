import type { BlockNode } from '../consensus/block-tree.js';

/** What an Ancestry asks about the active chain. */
export interface ActiveChain {
  isActive(node: BlockNode): boolean;
}

/**
 * The chain that ends at one block, of the active chain or of any branch: answers at once whether a block belongs to
 * it. Walks the branch down to the active chain when it is made, and must not be kept while the active chain moves.
 */
export class Ancestry {
  readonly #branch = new Set<BlockNode>();
  /** The highest block that the chain shares with the active one. */
  readonly #fork: BlockNode;

  constructor(
    private readonly chain: ActiveChain,
    end: BlockNode,
  ) {
    let at = end;
    for (; !chain.isActive(at); at = at.parent!) this.#branch.add(at);
    this.#fork = at;
  }

  includes(node: BlockNode): boolean {
    return this.#branch.has(node) || (node.height <= this.#fork.height && this.chain.isActive(node));
  }
}
