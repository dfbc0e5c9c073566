import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STATUS } from '../../../test/support/cli-rig.js';
import type { Forks, TreeBlock } from '../../chain/fork-schemas.js';
import type { FeedEvent } from '../../events/event-schemas.js';
import type { Peers } from '../../peers/peers-schemas.js';
import { cellsOf } from '../cells.js';
import { lettersOf } from './letters.js';
import { NetworkView } from './network-view.js';
import type { Figures } from './node-feed.js';
import { noPaint, paintWithColours } from './paint.js';
import { renderNetwork } from './render-network.js';

const NOW = new Date(2026, 10, 22, 13, 14, 15).getTime();
const URLS = [1, 2, 3].map((n) => `http://127.0.0.1:809${n}`);

/** A hash of 64 digits that begins with the name and ends with it. */
const hashOf = (name: string): string => `0000${name}${'5'.repeat(60 - 2 * name.length)}${name}`;

/** Block "b12" of branch b; branch b leaves branch a after height 10. */
const block = (name: string, changes: Partial<TreeBlock> = {}): TreeBlock => {
  const height = Number(name.slice(1));
  const parent = height - 1 <= 10 ? `a${height - 1}` : `${name[0]}${height - 1}`;
  return {
    height,
    hash: hashOf(name),
    previousHash: hashOf(parent),
    status: 'active',
    miner: 'node-1',
    entries: 1,
    receivedMs: NOW - (20 - height) * 1_000,
    chainWork: null,
    ...changes,
  };
};

const branch = (letter: string, from: number, to: number): TreeBlock[] =>
  Array.from({ length: to - from + 1 }, (_, i) => block(`${letter}${from + i}`));

const forksOf = (blocks: readonly TreeBlock[]): Forks => {
  const { height, hash } = blocks.at(-1)!;
  return { tip: { height, hash }, from: 0, to: height, runs: [], blocks: [...blocks] };
};

const peer = (id: string | null, changes: Partial<Peers['peers'][number]> = {}): Peers['peers'][number] => ({
  id,
  key: null,
  address: '127.0.0.1:9092',
  connected: true,
  refused: false,
  lastSeen: null,
  direction: 'outbound',
  latencyMs: 1.23,
  height: 12,
  tip: hashOf('a12'),
  chainWork: null,
  score: 0,
  ...changes,
});

function figures(nodeId: string, tip: string, peers: Peers['peers']): Figures {
  const height = Number(tip.slice(1));
  return { status: { ...STATUS, nodeId, height, tip: hashOf(tip) }, peers: { connected: peers.length, peers } };
}

/** Three nodes that are connected, on these tips. */
function threeNodes(tips: readonly string[], blocks: readonly TreeBlock[]): NetworkView {
  const view = new NetworkView(URLS.map((url, i) => ({ url, name: `node-${i + 1}` })));
  tips.forEach((tip, i) => {
    const others = [1, 2, 3].filter((n) => n !== i + 1).map((n) => peer(`node-${n}`));
    const own = blocks.filter(({ hash }) => hash !== hashOf(tip));
    view.snapshot(URLS[i]!, figures(`node-${i + 1}`, tip, others), forksOf([...own, block(tip)]), NOW);
  });
  return view;
}

const draw = (view: NetworkView, columns = 80, rows = 24): string[] =>
  renderNetwork(view, lettersOf(view), { columns, rows, nowMs: NOW, paint: noPaint });

describe('the live view', () => {
  it('shows nodes that agree, their peers, and the last blocks', () => {
    const lines = draw(threeNodes(['a12', 'a12', 'a12'], branch('a', 8, 12)));
    expect(lines.map((line) => line.trimEnd())).toEqual([
      'minichain watch: network minichain, 3 nodes                    13:14:15  q quits',
      'All 3 nodes agree on block 12.',
      '',
      '   NODE    BLOCK  TIP            PEERS, MS     MEMPOOL  STATE',
      'A  node-1     12  0000a125…5a12  B 1.2, C 1.2        1  idle',
      'B  node-2     12  0000a125…5a12  A 1.2, C 1.2        1  idle',
      'C  node-3     12  0000a125…5a12  A 1.2, B 1.2        1  idle',
      '',
      'BLOCK  HASH            AGE  ENTRIES  MINER   ON THE CHAIN OF',
      '   12  0000a125…5a12   8 s        1  node-1  A B C',
      '   11  0000a115…5a11   9 s        1  node-1  A B C',
      '   10  0000a105…5a10  10 s        1  node-1  A B C',
      '    9  0000a955…55a9  11 s        1  node-1  A B C',
      '    8  0000a855…55a8  12 s        1  node-1  A B C',
    ]);
  });

  it('says all of it in a narrow terminal: the sentence in two lines, how to quit, and no time of day', () => {
    const blocks = [...branch('a', 8, 12), ...branch('b', 11, 14)];
    const lines = draw(threeNodes(['a12', 'b14', 'b14'], blocks), 60).map((line) => line.trimEnd());
    expect(lines.slice(0, 4)).toEqual([
      'minichain watch: network minichain, 3 nodes          q quits',
      'Split: node-1 against node-2 and node-3; 2 and 4 blocks',
      'since block 10.',
      '',
    ]);
  });

  it('shows a fork: who is on which branch, block by block', () => {
    const blocks = [...branch('a', 8, 12), ...branch('b', 11, 14)];
    const lines = draw(threeNodes(['a12', 'b14', 'b14'], blocks)).map((line) => line.trimEnd());
    expect(lines[1]).toBe('Split: node-1 against node-2 and node-3; 2 and 4 blocks since block 10.');
    expect(lines).toContain('   14  0000b145…5b14   6 s        1  node-1  - B C');
    expect(lines).toContain('   12  0000a125…5a12   8 s        1  node-1  A - -');
    expect(lines).toContain('   10  0000a105…5a10  10 s        1  node-1  A B C');
    expect(lines).toContain('FORKS BESIDE THE CHAIN OF A');
    expect(lines).toContain('after 10: 4 blocks to 14 0000b145…5b14, on it: B C');
  });

  it('says which branch was given up after a reorganisation, and what happened', () => {
    const view = threeNodes(['a12', 'b14', 'b14'], [...branch('a', 8, 12), ...branch('b', 11, 14)]);
    const tip = { height: 14, hash: hashOf('b14'), chainWork: '' };
    const fork = { height: 10, hash: hashOf('a10') };
    const reorg = { depth: 2, fork, returned: 1 };
    view.event(URLS[0]!, { type: 'tip', atMs: NOW, tip, previous: fork, connected: 4, reorg, afterSync: false });
    const lines = draw(view);
    expect(lines[1]).toBe('All 3 nodes agree on block 14.');
    expect(lines).toContain('after 10: 2 blocks to 12 0000a125…5a12, no node is on it');
    expect(lines.at(-1)).toBe('13:14:15  node-1  reorganisation after block 10: 2 blocks disconnected, 4 conne…');
  });

  it('goes on with what was known of a node that is down, and says when it is back', () => {
    const view = threeNodes(['a12', 'a12', 'a12'], branch('a', 8, 12));
    view.lost(URLS[2]!, 'connection refused', NOW);
    view.lost(URLS[2]!, 'connection refused', NOW);
    const lines = draw(view);
    expect(lines[1]).toBe('Both nodes agree on block 12. node-3 is down.');
    expect(lines[6]).toBe('C  node-3     12  0000a125…5a12                      1  down: connection refused');
    expect(lines.filter((line) => line.includes('does not answer: connection refused'))).toHaveLength(1);
    view.found(URLS[2]!, NOW);
    expect(draw(view)[1]).toBe('All 3 nodes agree on block 12.');
    expect(draw(view).join('\n')).toContain('node-3  is back');
  });

  it('shows one node with its peers, their addresses and tips', () => {
    const view = new NetworkView([{ url: URLS[0]!, name: 'node-1' }]);
    const strangers = [
      peer('node-2'),
      peer(null, { address: '10.0.0.7:9091', latencyMs: null, height: null, tip: null }),
    ];
    view.snapshot(URLS[0]!, figures('node-1', 'a12', strangers), forksOf(branch('a', 11, 12)), NOW);
    const lines = draw(view).map((line) => line.trimEnd());
    expect(lines[1]).toBe('Both nodes agree on block 12.');
    expect(lines).toContain('B  node-2  127.0.0.1:9092  outbound   1.2 ms     12  0000a125…5a12');
    expect(lines).toContain('?  ?       10.0.0.7:9091   outbound');
    expect(lines).toContain('   12  0000a125…5a12  8 s        1  node-1  active');
  });

  it('keeps what the lab did apart from the sessions that ended through it', () => {
    const view = threeNodes(['a12', 'a12', 'a12'], branch('a', 8, 12));
    const gone: FeedEvent = {
      type: 'peer',
      atMs: NOW,
      state: 'disconnected',
      id: 'node-1',
      tip: null,
      direction: null,
      address: null,
      reason: 'cut',
    };
    const cut: FeedEvent = {
      type: 'lab',
      atMs: NOW,
      change: 'partition',
      text: 'Network cut for 120 s: node-1 / node-2',
    };
    view.event(URLS[1]!, gone);
    for (const url of URLS) view.event(url, cut);
    view.event(URLS[2]!, gone);
    expect(view.news.map(({ nodeId, text }) => `${nodeId}: ${text}`)).toEqual([
      'lab: Network cut for 120 s: node-1 / node-2',
    ]);
  });

  it('shows a hundred nodes in as many lines as there are', () => {
    const nodes = Array.from({ length: 100 }, (_, i) => ({ url: `http://127.0.0.1:${9_000 + i}`, name: `node-${i}` }));
    const lines = draw(new NetworkView(nodes));
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.at(-1)).toMatch(/^and \d+ more nodes$/);
  });

  it('fits into every size, with names and texts that are made to break it', () => {
    const hostile = '\u001b[2J\u202e世界🎉'.repeat(20);
    const view = threeNodes(['a12', 'b14', 'b13'], [...branch('a', 8, 12), ...branch('b', 11, 14)]);
    view.snapshot(URLS[0]!, figures(hostile, 'a12', [peer(hostile)]), forksOf([block('a12', { miner: hostile })]), NOW);
    view.event(URLS[0]!, { type: 'lab', atMs: NOW, change: 'link', text: hostile });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 120 }), fc.integer({ min: 1, max: 40 }), (columns, rows) => {
        const lines = draw(view, columns, rows);
        expect(lines.length).toBeLessThanOrEqual(rows);
        for (const line of lines) {
          expect(cellsOf(line), line).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        }
      }),
    );
  });

  it('says the same without colours', () => {
    const view = threeNodes(['a12', 'b14', 'b14'], [...branch('a', 8, 12), ...branch('b', 11, 14)]);
    const frame = { columns: 80, rows: 24, nowMs: NOW };
    const coloured = renderNetwork(view, lettersOf(view), { ...frame, paint: paintWithColours });
    expect(coloured.join('')).toContain('\u001b[31mSplit');
    // oxlint-disable-next-line no-control-regex -- Colours are made of these.
    const bare = coloured.map((line) => line.replace(/\u001b\[\d+m/g, '').trimEnd());
    expect(bare).toEqual(
      renderNetwork(view, lettersOf(view), { ...frame, paint: noPaint }).map((line) => line.trimEnd()),
    );
  });
});
