import { describe, expect, it } from 'vitest';
import { crop, layout, MAX_BOXES } from './layout.js';
import type { Box, Layout, TreeBlock, TreeView } from './tree-block.js';

/**
 * Reads a tree from text: on each line a chain, "a b c", its first block on top of what stands before "<".
 * Heights follow; "?" makes the first block an orphan at the height behind it.
 */
function tree(text: string): TreeBlock[] {
  const heights = new Map<string, number>();
  const blocks: TreeBlock[] = [];
  for (const line of text.trim().split('\n')) {
    const orphan = /^\s*\?(\d+) /.exec(line);
    const [left, right] = line.includes('<') ? line.split('<') : ['', line.replace(/^\s*\?\d+ /, '')];
    let parent = left!.trim() || 'none';
    let height = orphan ? Number(orphan[1]) - 1 : (heights.get(parent) ?? -1);
    for (const word of right!.trim().split(/\s+/)) {
      const [hash, run] = word.split('*') as [string, string?];
      height += Number(run ?? 1);
      const first = orphan !== null && blocks.every((block) => block.hash !== parent);
      blocks.push({
        hash,
        parent,
        height,
        miner: 'node-1',
        entries: 1,
        ...(run ? { run: Number(run) } : {}),
        ...(first ? { isOrphan: true } : {}),
      });
      heights.set(hash, height);
      parent = hash;
    }
  }
  return blocks;
}

const chain = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `b${from + i}`).join(' ');

/** Draws a layout: a line for each lane, four letters for a column. */
function draw({ boxes, lanes }: Layout): string {
  const rows = Array.from({ length: lanes }, () => '');
  const name = (box: Box): string => {
    if (box.kind === 'capsule') return `(${box.count})`;
    if (box.kind === 'ghost') return `{${box.nodeIds.map((id) => id.at(-1)).join('')}}`;
    const { block, state, chips } = box;
    return (
      (state === 'active' ? block.hash : state === 'side' ? `'${block.hash}` : `?${block.hash}`) +
      (chips.length > 0 ? '^' + chips.map((id) => id.at(-1)).join('') : '')
    );
  };
  for (const box of boxes) rows[box.lane] = rows[box.lane]!.padEnd(Math.round(box.x * 5)) + name(box);
  return rows.map((row) => row.trimEnd()).join('\n');
}

const show = (text: string, tip: string, view: Partial<TreeView> = {}): string =>
  draw(layout(tree(text), { tip, chips: [], ghosts: [], ...view }));

const lines = (...rows: string[]): string => rows.join('\n');

describe('layout', () => {
  it('puts a chain on lane 0, a column for each height', () => {
    expect(show('g a b c', 'c')).toBe('g    a    b    c');
  });

  it('puts what left the active chain on a lane below, at its height', () => {
    expect(show('g a b c\na < x y', 'c')).toBe(lines('g    a    b    c', "          'x   'y"));
  });

  it('swaps lanes when the other branch wins', () => {
    expect(show('g a b c\na < x y z', 'z')).toBe(lines('g    a    x    y    z', "          'b   'c"));
  });

  it('gives branches that run side by side lanes of their own, and uses a lane again further on', () => {
    expect(show('g a b c d e f h\ng < x1 x2\na < y1\ne < z1', 'h')).toBe(
      lines('g    a    b    c    d    e    f    h', "     'x1  'x2                 'z1", "          'y1"),
    );
  });

  it('goes on with the longest child of a side branch, and lets the other begin a branch', () => {
    expect(show('g a b c d e\ng < s t\ns < u v', 'e')).toBe(
      lines('g    a    b    c    d    e', "     's   'u   'v", "          't"),
    );
  });

  it('shows an orphan at its height, without an edge', () => {
    const blocks = tree('g a b c\n?3 o p');
    const result = layout(blocks, { tip: 'c', chips: [], ghosts: [] });
    expect(draw(result)).toBe(lines('g    a    b    c', '               ?o   ?p'));
    expect(result.edges.map(({ key }) => key)).toEqual(['a', 'b', 'c', 'p']);
  });

  it('puts chips on the blocks that the nodes are on', () => {
    const chips = [
      { nodeId: 'node-1', hash: 'c' },
      { nodeId: 'node-2', hash: 'x' },
      { nodeId: 'node-3', hash: 'c' },
    ];
    expect(show('g a b c\na < x', 'c', { chips })).toBe(lines('g    a    b    c^13', "          'x^2"));
  });

  it('puts a ghost where the block would stand, one for all who search there', () => {
    const ghosts = [
      { nodeId: 'node-1', parent: 'b' },
      { nodeId: 'node-2', parent: 'b' },
      { nodeId: 'node-3', parent: 'x' },
    ];
    expect(show('g a b\na < x', 'b', { ghosts })).toBe(lines('g    a    b    {12}', "          'x   {3}"));
  });

  it('gives a ghost a lane of its own where its place is taken', () => {
    expect(show('g a b', 'b', { ghosts: [{ nodeId: 'node-1', parent: 'a' }] })).toBe(
      lines('g    a    b', '          {1}'),
    );
  });

  it('folds six or more quiet blocks, but neither genesis nor what is near the tip', () => {
    expect(show(chain(0, 12), 'b12')).toBe('b0   (6)     b7   b8   b9   b10  b11  b12');
    expect(show(chain(0, 11), 'b11')).toBe('b0   b1   b2   b3   b4   b5   b6   b7   b8   b9   b10  b11');
  });

  it('keeps a fork point, its children, and the last block of a branch', () => {
    expect(show(`${chain(0, 30)}\nb10 < x`, 'b30')).toBe(
      lines('b0   (9)     b10  b11  (13)    b25  b26  b27  b28  b29  b30', "                  'x"),
    );
  });

  it('folds branches that run side by side together', () => {
    const other = Array.from({ length: 12 }, (_, i) => `x${i + 1}`).join(' ');
    expect(show(`${chain(0, 12)}\nb0 < ${other}`, 'b12')).toBe(
      lines(
        'b0   b1   b2   b3   b4   b5   b6   b7   b8   b9   b10  b11  b12',
        "     'x1  'x2  'x3  'x4  'x5  'x6  'x7  'x8  'x9  'x10 'x11 'x12",
      ),
    );
    const longer = Array.from({ length: 14 }, (_, i) => `x${i + 1}`).join(' ');
    expect(show(`${chain(0, 14)}\nb0 < ${longer}`, 'b14')).toBe(
      lines('b0   b1   (7)     b9   b10  b11  b12  b13  b14', "     'x1  (7)     'x9  'x10 'x11 'x12 'x13 'x14"),
    );
  });

  it('unfolds what the reader opened, and shows the selected block', () => {
    const unfolded = new Set([1, 2, 3, 4, 5, 6]);
    expect(show(chain(0, 12), 'b12', { unfolded })).toBe(
      Array.from({ length: 13 }, (_, i) => `b${i}`.padEnd(5))
        .join('')
        .trimEnd(),
    );
    expect(show(chain(0, 20), 'b20', { selected: 'b8' })).toBe(
      'b0   (7)     b8   (6)     b15  b16  b17  b18  b19  b20',
    );
  });

  it('shows a run that is known by number only as one capsule, together with the quiet blocks beside it', () => {
    expect(show('g a*1000 b c d e f h i', 'i')).toBe('g    (1001)  c    d    e    f    h    i');
    expect(show('g a*3 b', 'b')).toBe('g    (3)     b');
  });

  it('lays out a chain of 100,000 blocks: nothing is recursive', () => {
    const { boxes } = layout(tree(chain(0, 100_000)), { tip: 'b100000', chips: [], ghosts: [] });
    expect(boxes).toHaveLength(8);
  });

  it('does not depend on the order in which the blocks came', () => {
    const blocks = tree('g a b c d\na < x y\nb < z');
    const view = { tip: 'd', chips: [], ghosts: [] };
    expect(draw(layout(blocks.toReversed(), view))).toBe(draw(layout(blocks, view)));
  });
});

describe('crop', () => {
  const wide = layout(tree('g a b c d e f\nb < x y'), { tip: 'f', chips: [], ghosts: [] });

  it('shows the boxes of the window, and the edges that lead out of it', () => {
    const { boxes, edges } = crop(wide, { from: 2.5, to: 4.5, lanes: 4 });
    expect(boxes.map(({ key }) => key)).toEqual(['b', 'c', 'x', 'd', 'y']);
    expect(edges.map(({ key }) => key).sort()).toEqual(['b', 'c', 'd', 'e', 'x', 'y']);
  });

  it('leaves out lanes that have no room', () => {
    expect(crop(wide, { from: 0, to: 9, lanes: 1 }).boxes.map(({ key }) => key)).toEqual([
      'g',
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
    ]);
  });

  it('shows no more boxes than the page can draw, those in the middle', () => {
    const bushy = Array.from({ length: 300 }, (_, i) => `g < s${i}`).join('\n');
    const full = layout(tree(`g a b c d e f\n${bushy}`), { tip: 'f', chips: [], ghosts: [] });
    expect(crop(full, { from: 0, to: 9, lanes: 400 }).boxes).toHaveLength(MAX_BOXES);
  });
});
