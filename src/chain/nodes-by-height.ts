import type { BlockNode } from '../consensus/block-tree.js';

/** Which stored blocks stand at each height. Nearly every height has one, so only the others get a list of their own. */
export class NodesByHeight {
  readonly #first: BlockNode[] = [];
  readonly #others = new Map<number, BlockNode[]>();

  add(node: BlockNode): void {
    const { height } = node;
    if (this.#first[height] === undefined) this.#first[height] = node;
    else if (this.#others.has(height)) this.#others.get(height)!.push(node);
    else this.#others.set(height, [node]);
  }

  /** The highest height that has one; -1 without any. */
  get top(): number {
    return this.#first.length - 1;
  }

  /** In the order in which they were added; none above the highest. */
  at(height: number): readonly BlockNode[] {
    const first = this.#first[height];
    return first === undefined ? [] : [first, ...(this.#others.get(height) ?? [])];
  }
}
