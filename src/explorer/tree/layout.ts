import { assignLanes, findBranches, indexTree, type TreeIndex } from './branches.js';
import { findColumns, type Column } from './columns.js';
import type { BlockState, Box, Edge, Ghost, GhostBox, Layout, TreeBlock, TreeView } from './tree-block.js';

/**
 * Where every block of the tree stands: its column by height, its lane by branch, with lane 0 for the chain that ends at
 * `view.tip`. Long runs of blocks at which nothing happens become capsules, on each lane that they run along.
 */
export function layout(blocks: readonly TreeBlock[], view: TreeView): Layout {
  const index = indexTree(blocks, view.tip);
  const branches = findBranches(index);
  const lanes = assignLanes(branches);
  const columns = findColumns(index, view);
  const columnOf = columnByHeight(columns);
  const chips = Map.groupBy(view.chips, ({ hash }) => hash);
  const boxOf = new Map<string, Box>();
  const boxes: Box[] = [];
  let lastLane = 0;
  for (const branch of branches) {
    const lane = lanes.get(branch)!;
    lastLane = Math.max(lastLane, lane);
    const state: BlockState = branch.isActive ? 'active' : branch.blocks[0]!.isOrphan === true ? 'orphan' : 'side';
    let open: { readonly column: Column; readonly box: Box } | undefined;
    for (const block of branch.blocks) {
      const column = columnOf.get(block.height)!;
      if (column.isFolded) {
        open = open?.column === column ? open : { column, box: capsule(column, lane, state) };
        if (boxes.at(-1) !== open.box) boxes.push(open.box);
        boxOf.set(block.hash, open.box);
        continue;
      }
      const { x, width } = column;
      const standing = chips.get(block.hash)?.map(({ nodeId }) => nodeId) ?? [];
      const box: Box = { kind: 'block', key: block.hash, x, width, lane, block, state, chips: standing };
      boxes.push(box);
      boxOf.set(block.hash, box);
    }
  }
  const edges = findEdges(index, boxOf);
  const end = columns.at(-1);
  const width = end === undefined ? 0 : end.x + end.width;
  for (const [ghost, parent] of placeGhosts(view.ghosts, index, boxOf, lastLane)) {
    boxes.push(ghost);
    edges.push({ key: ghost.key, child: ghost, parent });
  }
  boxes.sort((a, b) => a.x - b.x || a.lane - b.lane);
  const right = boxes.reduce((most, box) => Math.max(most, box.x + box.width), width);
  return { boxes, edges, width: right, lanes: boxes.reduce((most, { lane }) => Math.max(most, lane), 0) + 1 };
}

/** Height to column, for each height that a block of the tree has. */
function columnByHeight(columns: readonly Column[]): Map<number, Column> {
  const byHeight = new Map<number, Column>();
  for (const column of columns) {
    for (let height = column.from; height <= column.to; height++) byHeight.set(height, column);
  }
  return byHeight;
}

function capsule({ from, to, x, width }: Column, lane: number, state: BlockState): Box {
  return { kind: 'capsule', key: `run ${lane} ${to}`, x, width, lane, state, from, to, count: to - from + 1 };
}

function findEdges({ sorted, byHash }: TreeIndex, boxOf: ReadonlyMap<string, Box>): Edge[] {
  const edges: Edge[] = [];
  for (const block of sorted) {
    const child = boxOf.get(block.hash)!;
    const parent = byHash.has(block.parent) ? boxOf.get(block.parent)! : undefined;
    if (parent !== undefined && parent !== child) edges.push({ key: block.hash, child, parent });
  }
  return edges;
}

/** A ghost stands where the block would: beside its parent, or on a lane of its own where that place is taken. */
function placeGhosts(
  ghosts: readonly Ghost[],
  { children }: TreeIndex,
  boxOf: ReadonlyMap<string, Box>,
  lastLane: number,
): [GhostBox, Box][] {
  const placed: [GhostBox, Box][] = [];
  let nextLane = lastLane + 1;
  for (const [hash, miners] of Map.groupBy(ghosts, ({ parent }) => parent)) {
    const parent = boxOf.get(hash);
    if (parent?.kind !== 'block') continue;
    const isTaken = (children.get(hash)?.length ?? 0) > 0;
    const lane = isTaken ? nextLane++ : parent.lane;
    const nodeIds = miners.map(({ nodeId }) => nodeId);
    const height = parent.block.height + 1;
    placed.push([
      { kind: 'ghost', key: `ghost ${hash}`, x: parent.x + parent.width, width: 1, lane, nodeIds, height },
      parent,
    ]);
  }
  return placed;
}

/** Part of a layout that a window of the page shows. */
export interface Window {
  /** In columns. */
  readonly from: number;
  readonly to: number;
  readonly lanes: number;
}

/** More boxes than this would need more than about 400 SVG elements. */
export const MAX_BOXES = 130;

/** What can be seen through the window; where that is too much, what is nearest to its middle. */
export function crop({ boxes, edges }: Layout, { from, to, lanes }: Window): Pick<Layout, 'boxes' | 'edges'> {
  const middle = (from + to) / 2;
  let seen = boxes.filter(({ x, width, lane }) => x + width > from && x < to && lane < lanes);
  if (seen.length > MAX_BOXES) {
    const byDistance = seen.toSorted((a, b) => Math.abs(a.x - middle) - Math.abs(b.x - middle) || a.lane - b.lane);
    seen = byDistance.slice(0, MAX_BOXES).sort((a, b) => a.x - b.x || a.lane - b.lane);
  }
  const shown = new Set(seen);
  return {
    boxes: seen,
    edges: edges.filter(({ child, parent }) => shown.has(child) || (shown.has(parent) && child.lane < lanes)),
  };
}
