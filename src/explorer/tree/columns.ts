import { firstHeight, type TreeIndex } from './branches.js';
import type { TreeBlock, TreeView } from './tree-block.js';

/** Shorter runs of quiet blocks are drawn one by one. */
const LEAST_RUN = 6;
/** So many blocks below a tip are never folded. */
const NEAR_TIP = 5;
/** A capsule takes more room than a block. */
const CAPSULE_WIDTH = 1.6;

/** A height, or a run of heights that are folded into one column. */
export interface Column {
  readonly from: number;
  readonly to: number;
  readonly isFolded: boolean;
  readonly x: number;
  readonly width: number;
}

/** What stands at one height, or, where there is a run that is known by number only, from one height to another. */
interface Level {
  readonly from: number;
  readonly to: number;
  readonly isQuiet: boolean;
}

/** Gives every height a column; long runs of heights at which nothing happens share one. */
export function findColumns(index: TreeIndex, view: TreeView): Column[] {
  const columns: Column[] = [];
  let x = 0;
  const add = (from: number, to: number, isFolded: boolean): void => {
    const width = isFolded ? CAPSULE_WIDTH : 1;
    columns.push({ from, to, isFolded, x, width });
    x += width;
  };
  let run: Level[] = [];
  const flush = (): void => {
    const count = run.length === 0 ? 0 : run.at(-1)!.to - run[0]!.from + 1;
    const isWhole = run.every(({ from, to }) => from === to);
    if (count >= LEAST_RUN) add(run[0]!.from, run.at(-1)!.to, true);
    else for (const { from, to } of run) add(from, to, !isWhole && from !== to);
    run = [];
  };
  for (const level of findLevels(index, view)) {
    if (!level.isQuiet) flush();
    if (!level.isQuiet) add(level.from, level.to, level.from !== level.to);
    else run.push(level);
  }
  flush();
  return columns;
}

function findLevels(index: TreeIndex, view: TreeView): Level[] {
  const levels: Level[] = [];
  const near = heightsNearTips(index, view);
  const { sorted } = index;
  for (let i = 0; i < sorted.length;) {
    const { height } = sorted[i]!;
    let end = i + 1;
    while (sorted[end]?.height === height) end++;
    const here = sorted.slice(i, end);
    const from = Math.min(...here.map(firstHeight));
    const isQuiet =
      (from < height || !near.has(height)) &&
      view.unfolded?.has(height) !== true &&
      here.every((block) => isQuietBlock(block, index, view));
    levels.push({ from, to: height, isQuiet });
    i = end;
  }
  return levels;
}

/** It goes on in both directions, and only so. */
function isQuietBlock(block: TreeBlock, { byHash, children }: TreeIndex, view: TreeView): boolean {
  const parent = byHash.get(block.parent);
  return (
    parent !== undefined &&
    block.hash !== view.selected &&
    block.isOrphan !== true &&
    children.get(block.hash)?.length === 1 &&
    children.get(parent.hash)?.length === 1
  );
}

function heightsNearTips({ byHash }: TreeIndex, { tip, chips, ghosts }: TreeView): Set<number> {
  const near = new Set<number>();
  for (const hash of [tip, ...chips.map((chip) => chip.hash), ...ghosts.map((ghost) => ghost.parent)]) {
    const height = byHash.get(hash)?.height;
    if (height === undefined) continue;
    for (let below = 0; below <= NEAR_TIP; below++) near.add(height - below);
  }
  return near;
}
