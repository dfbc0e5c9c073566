import type { Forks, TreeBlock } from '../chain/fork-schemas.js';

/** One line of the drawing: the branches on the left, and what is shown beside them. */
export interface GraphLine {
  readonly lines: string;
  readonly block?: TreeBlock;
  /** Blocks that are summed up. */
  readonly run?: Forks['runs'][number];
}

/** A block, or blocks that are summed up. */
interface Row {
  readonly height: number;
  readonly block?: TreeBlock;
  readonly run?: Forks['runs'][number];
}

const SIGNS = { active: '●', side: '○', orphan: '?' } as const;

/**
 * The tree of blocks as lines, the highest first: the active chain to the left, a lane for each other branch, down to the
 * block where it leaves another one.
 */
export function forkGraph({ blocks, runs, tip }: Forks): GraphLine[] {
  const rows: Row[] = [
    ...blocks.map((block) => ({ height: block.height, block })),
    ...runs.map((run) => ({ height: run.to, run })),
  ];
  rows.sort((a, b) => b.height - a.height || orderOf(a) - orderOf(b));
  const parents = new Set(blocks.map(({ hash }) => hash));
  /** The hash that each lane waits for; null is a free lane. The first is that of the active chain. */
  const lanes: (string | null)[] = [tip.hash];
  let hasBegun = false;
  const lines: GraphLine[] = [];
  const draw = (at: number, sign: string): string =>
    lanes
      .map((lane, i) => (i === at ? sign : lane === null || (i === 0 && !hasBegun) ? ' ' : '│'))
      .join(' ')
      .trimEnd();
  for (const row of rows) {
    const { block, run } = row;
    if (block === undefined) {
      lines.push({ lines: draw(0, '⋮'), run: run! });
      continue;
    }
    const isActive = block.status === 'active';
    const waiting = [...lanes.keys()].filter((lane) => lanes[lane] === block.hash);
    // A run hides which block is waited for.
    const at = isActive ? 0 : (waiting[0] ?? freeLane(lanes));
    if (isActive) hasBegun = true;
    const merging = waiting.filter((lane) => lane !== at);
    if (merging.length > 0) {
      lines.push({ lines: mergeLine(lanes, at, merging) });
      for (const lane of merging) lanes[lane] = null;
    }
    lanes[at] = block.hash;
    lines.push({ lines: draw(at, SIGNS[block.status]), block });
    // A lane ends where nothing is known of what is below it.
    lanes[at] = isActive || parents.has(block.previousHash) ? block.previousHash : null;
    while (lanes.length > 1 && lanes.at(-1) === null) lanes.pop();
  }
  return lines;
}

/** At one height the active block comes last: then the branches that leave below it are drawn beside it. */
function orderOf({ block }: Row): number {
  return block?.status === 'active' ? 1 : 0;
}

function freeLane(lanes: (string | null)[]): number {
  const free = lanes.findIndex((lane, at) => at > 0 && lane === null);
  return free > 0 ? free : lanes.push(null) - 1;
}

/** "├─┴─┘" from the lanes that end to the one that goes on; lanes between them are crossed. */
function mergeLine(lanes: readonly (string | null)[], at: number, merging: readonly number[]): string {
  const last = Math.max(...merging);
  return lanes
    .map((lane, i) => {
      const isBetween = i > at && i < last;
      const sign =
        i === at
          ? '├'
          : i === last
            ? '┘'
            : merging.includes(i)
              ? '┴'
              : lane === null
                ? isBetween
                  ? '─'
                  : ' '
                : isBetween
                  ? '┼'
                  : '│';
      return `${sign}${i >= at && i < last ? '─' : ' '}`;
    })
    .join('')
    .trimEnd();
}
