import { describe, expect, it } from 'vitest';
import type { Forks, TreeBlock } from '../chain/fork-schemas.js';
import { forkGraph } from './fork-graph.js';

/** Blocks as "a3<a2" (height 3 of branch a, on a2); those of `active` are on the active chain, one without a parent is an orphan. */
function forksOf(blocks: string, active: string, runs: Forks['runs'] = []): Forks {
  const names = new Set(blocks.split(' ').map((each) => each.split('<')[0]!));
  const onChain = new Set(active.split(' '));
  const tip = active.split(' ')[0]!;
  return {
    tip: { height: heightOf(tip), hash: tip },
    from: 0,
    to: 20,
    runs,
    blocks: blocks.split(' ').map((text): TreeBlock => {
      const [hash, parent = ''] = text.split('<') as [string, string?];
      const isOrphan =
        parent === '?' || (parent !== '' && !names.has(parent) && heightOf(hash) > 0 && !onChain.has(hash));
      return {
        height: heightOf(hash),
        hash,
        previousHash: parent,
        status: onChain.has(hash) ? 'active' : isOrphan ? 'orphan' : 'side',
        miner: 'node-1',
        entries: 0,
        receivedMs: 0,
        chainWork: null,
      };
    }),
  };
}

function heightOf(name: string): number {
  return Number(name.slice(1));
}

const draw = (forks: Forks): string[] =>
  forkGraph(forks).map(({ lines, block, run }) =>
    `${lines} ${block?.hash ?? (run ? `${run.from}-${run.to}` : '')}`.trimEnd(),
  );

describe('forkGraph', () => {
  it('draws a chain without forks as one lane', () => {
    expect(draw(forksOf('a2<a1 a1<a0 a0', 'a2 a1 a0'))).toEqual(['● a2', '● a1', '● a0']);
  });

  it('draws a side branch beside the active chain, down to the block where it leaves it', () => {
    expect(draw(forksOf('a3<a2 a2<a1 b3<b2 b2<a1 a1<a0 a0', 'a3 a2 a1 a0'))).toEqual([
      '  ○ b3',
      '● │ a3',
      '│ ○ b2',
      '● │ a2',
      '├─┘',
      '● a1',
      '● a0',
    ]);
  });

  it('draws several branches that leave one block, or each other', () => {
    expect(draw(forksOf('a3<a2 a2<a1 b2<a1 c2<a1 a1<a0 a0', 'a3 a2 a1 a0'))).toEqual([
      '● a3',
      '│ ○ b2',
      '│ │ ○ c2',
      '● │ │ a2',
      '├─┴─┘',
      '● a1',
      '● a0',
    ]);
    expect(draw(forksOf('a3<a2 a2<a1 b3<b2 c3<b2 b2<a1 a1', 'a3 a2 a1'))).toEqual([
      '  ○ b3',
      '  │ ○ c3',
      '● │ │ a3',
      '│ ├─┘',
      '│ ○ b2',
      '● │ a2',
      '├─┘',
      '● a1',
    ]);
  });

  it('draws a higher branch with less work above the tip, an orphan that leads nowhere, and a run', () => {
    expect(draw(forksOf('b4<b3 b3<a2 a3<a2 a2', 'a3 a2'))).toEqual(['  ○ b4', '  ○ b3', '● │ a3', '├─┘', '● a2']);
    expect(draw(forksOf('o5<? a4<a3 a3', 'a4 a3'))).toEqual(['  ? o5', '● a4', '● a3']);
    expect(draw(forksOf('a9<a8 a0', 'a9 a0', [{ from: 1, to: 8, count: 8 }]))).toEqual(['● a9', '⋮ 1-8', '● a0']);
  });

  it('crosses lanes that go on', () => {
    expect(draw(forksOf('a4<a3 a3<a2 b4<a2 c4<a3 a2<a1 a1', 'a4 a3 a2 a1'))).toEqual([
      '  ○ b4',
      '  │ ○ c4',
      '● │ │ a4',
      '├─┼─┘',
      '● │ a3',
      '├─┘',
      '● a2',
      '● a1',
    ]);
  });
});
