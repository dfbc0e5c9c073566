import type { Hash } from './codec.js';
import type { BlockHeader } from './header.js';
import { workOf } from './target.js';

/**
 * A header in its place in the tree: linked to its parent, with what the chain up to it adds up to. Only what the rules
 * look at is kept, since every header of the chain stays in memory.
 */
export interface BlockNode {
  readonly hash: Hash;
  readonly parent: BlockNode | undefined;
  readonly height: number;
  readonly time: number;
  readonly bits: number;
  /** Sum of workOf over this header and all its ancestors. */
  readonly chainWork: bigint;
  /** Where its block is stored; 0 for a header alone (Bitcoin Core's CBlockIndex holds the place on disk likewise). */
  readonly id: number;
}

/** Links a header to its parent (none for the genesis). Nothing is checked here. */
export function linkHeader(
  hash: Hash,
  header: Pick<BlockHeader, 'time' | 'bits'>,
  parent: BlockNode | undefined,
  id = 0,
): BlockNode {
  return {
    hash,
    parent,
    height: parent === undefined ? 0 : parent.height + 1,
    time: header.time,
    bits: header.bits,
    chainWork: (parent?.chainWork ?? 0n) + workOf(header.bits),
    id,
  };
}

/** The ancestor of `node` at `height` (the node itself at its own height), or undefined outside 0..node.height. */
export function ancestorAt(node: BlockNode, height: number): BlockNode | undefined {
  if (height < 0 || height > node.height) return undefined;
  let at: BlockNode | undefined = node;
  while (at !== undefined && at.height > height) at = at.parent;
  return at;
}

/** Median of the last `span` header times ending at `node` (fewer near the genesis), as Bitcoin's GetMedianTimePast. */
export function medianTimePast(node: BlockNode, span: number): number {
  const times: number[] = [];
  for (let at: BlockNode | undefined = node; at !== undefined && times.length < span; at = at.parent) {
    times.push(at.time);
  }
  times.sort((a, b) => a - b);
  return times[times.length >> 1]!;
}

/** The last block that both have in common. @throws Error when they stand in different trees. */
export function findForkPoint(a: BlockNode, b: BlockNode): BlockNode {
  let left: BlockNode | undefined = a;
  let right: BlockNode | undefined = b;
  while (left !== undefined && right !== undefined && left !== right) {
    if (left.height >= right.height) left = left.parent;
    else right = right.parent;
  }
  if (left === undefined || right === undefined) throw new Error(`no common ancestor of ${a.hash} and ${b.hash}`);
  return left;
}

/**
 * Heights of a block locator for a chain of `tipHeight`: the last ten one by one, then in steps that double, then the
 * genesis (Bitcoin's getblocks; dense near the tip, logarithmic in all).
 */
export function locatorHeights(tipHeight: number): number[] {
  const heights: number[] = [];
  let step = 1;
  for (let height = tipHeight; height > 0; height -= step) {
    heights.push(height);
    if (heights.length >= 10) step *= 2;
  }
  heights.push(0);
  return heights;
}

/** All linked headers of a node by hash. */
export class BlockTree {
  readonly #nodes = new Map<Hash, BlockNode>();
  /** Nodes without a known child. */
  readonly #tips = new Set<BlockNode>();

  constructor(readonly genesis: BlockNode) {
    this.#nodes.set(genesis.hash, genesis);
    this.#tips.add(genesis);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** All of them, parents before their children. */
  get nodes(): IterableIterator<BlockNode> {
    return this.#nodes.values();
  }

  get(hash: Hash): BlockNode | undefined {
    return this.#nodes.get(hash);
  }

  /** Ends of all branches, the active one included, in the order in which they came. */
  get tips(): ReadonlySet<BlockNode> {
    return this.#tips;
  }

  /** @throws Error when the parent is not in the tree, or the hash already is. */
  add(node: BlockNode): void {
    if (this.#nodes.has(node.hash)) throw new Error(`${node.hash} is in the tree already`);
    if (node.parent === undefined || this.#nodes.get(node.parent.hash) !== node.parent) {
      throw new Error(`parent of ${node.hash} is not in the tree`);
    }
    this.#nodes.set(node.hash, node);
    this.#tips.delete(node.parent);
    this.#tips.add(node);
  }
}
