import type { TreeBlock } from './tree-block.js';

/** The blocks of the tree, and who follows whom. */
export interface TreeIndex {
  readonly byHash: ReadonlyMap<string, TreeBlock>;
  readonly children: ReadonlyMap<string, readonly TreeBlock[]>;
  /** Hashes of the chain that ends at the tip. */
  readonly active: ReadonlySet<string>;
  /** By ascending height, as many at one height as there are. */
  readonly sorted: readonly TreeBlock[];
}

/** Blocks one on top of the other that share a lane. */
export interface Branch {
  readonly blocks: readonly TreeBlock[];
  /** Lowest height that its lane must be free at, its edge to the fork point included. */
  readonly from: number;
  readonly to: number;
  readonly isActive: boolean;
}

export function indexTree(blocks: readonly TreeBlock[], tip: string): TreeIndex {
  const byHash = new Map(blocks.map((block) => [block.hash, block]));
  const children = new Map<string, TreeBlock[]>();
  for (const block of byHash.values()) {
    const siblings = children.get(block.parent);
    if (siblings === undefined) children.set(block.parent, [block]);
    else siblings.push(block);
  }
  const active = new Set<string>();
  for (let at = byHash.get(tip); at !== undefined && !active.has(at.hash); at = byHash.get(at.parent)) {
    active.add(at.hash);
  }
  return { byHash, children, active, sorted: [...byHash.values()].sort((a, b) => a.height - b.height) };
}

/** Height of a block's first: itself, except for a run. */
export function firstHeight({ height, run = 1 }: TreeBlock): number {
  return height - run + 1;
}

/**
 * Cuts the tree into branches: the active chain, and at each fork the child with the longest chain on top goes on with
 * the branch, and the others begin one. Iterative: a branch can be as long as the chain.
 */
export function findBranches({ byHash, children, active, sorted }: TreeIndex): Branch[] {
  const reach = new Map<string, number>();
  for (const block of sorted.toReversed()) {
    const above = children.get(block.hash)?.map(({ hash }) => reach.get(hash) ?? 0) ?? [];
    reach.set(block.hash, Math.max(block.height, ...above));
  }
  const goesOn = (parent: TreeBlock): TreeBlock | undefined => {
    let best: TreeBlock | undefined;
    for (const child of children.get(parent.hash) ?? []) {
      if (active.has(child.hash) !== active.has(parent.hash)) continue;
      if (best === undefined || reach.get(child.hash)! > reach.get(best.hash)!) best = child;
    }
    return best;
  };
  const branches: Branch[] = [];
  for (const head of sorted) {
    const parent = byHash.get(head.parent);
    if (parent !== undefined && goesOn(parent) === head) continue;
    const blocks: TreeBlock[] = [];
    for (let at: TreeBlock | undefined = head; at !== undefined; at = goesOn(at)) blocks.push(at);
    const isActive = active.has(head.hash);
    branches.push({ blocks, from: firstHeight(head), to: blocks.at(-1)!.height, isActive });
  }
  return branches;
}

/** Gives each branch the lowest lane that is free all along it; the active chain has lane 0 for itself. */
export function assignLanes(branches: readonly Branch[]): Map<Branch, number> {
  const lanes = new Map<Branch, number>();
  /** The height from which on each lane is free. Branches come by ascending start, so one number is enough. */
  const freeFrom: number[] = [Number.POSITIVE_INFINITY];
  for (const branch of branches) {
    if (branch.isActive) {
      lanes.set(branch, 0);
      continue;
    }
    let lane = 1;
    while ((freeFrom[lane] ?? 0) > branch.from) lane++;
    freeFrom[lane] = branch.to + 2;
    lanes.set(branch, lane);
  }
  return lanes;
}
