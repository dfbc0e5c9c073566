import { describe, expect, it } from 'vitest';
import { sentence, type Network, type Standing } from './network-sentence.js';

/** Hashes "a3" (height 3 of branch a) whose parent is a2; branch b leaves branch a after height 9. */
const parentOf = (hash: string): string | undefined => {
  const height = Number(hash.slice(1));
  if (hash.startsWith('?') || height === 0) return undefined;
  return `${height <= 10 ? 'a' : hash[0]}${height - 1}`;
};

const on = (nodeId: string, hash: string, isDown = false): Standing => ({
  nodeId,
  isDown,
  tip: { hash, height: Number(hash.slice(1)) },
});

const say = (nodes: readonly Standing[], sync?: Network['sync']): string => sentence({ nodes, parentOf, sync }).text;

describe('sentence', () => {
  it.each<[string, readonly Standing[]]>([
    ['Three nodes, connected. Nothing mined yet.', [on('node-1', 'a0'), on('node-2', 'a0'), on('node-3', 'a0')]],
    ['node-1, without peers. Nothing mined yet.', [on('node-1', 'a0')]],
    ['node-1 is on block 12, without peers.', [on('node-1', 'a12')]],
    ['All 3 nodes agree on block 1,204.', [on('node-1', 'a1204'), on('node-2', 'a1204'), on('node-3', 'a1204')]],
    ['Both nodes agree on block 7.', [on('node-1', 'a7'), on('node-2', 'a7')]],
    [
      '2 of 3 nodes are on block 12; node-3 is 1 block behind.',
      [on('node-1', 'a12'), on('node-2', 'a12'), on('node-3', 'a11')],
    ],
    ['node-2 is on block 12; node-1 is 2 blocks behind.', [on('node-1', 'a10'), on('node-2', 'a12')]],
    [
      'Split: node-1 against node-2 and node-3; 3 and 5 blocks since block 9.',
      [on('node-1', 'a12'), on('node-2', 'b14'), on('node-3', 'b14')],
    ],
    [
      'Split: node-1 against node-2 and node-3; 3 and 5 blocks since block 9.',
      [on('node-1', 'a12'), on('node-2', 'b14'), on('node-3', 'b13')],
    ],
    ['Split: node-1 against node-2; 2 blocks each since block 9.', [on('node-1', 'a11'), on('node-2', 'b11')]],
    ['Split: node-1 against node-2, on different blocks.', [on('node-1', 'a12'), on('node-2', '?14')]],
    [
      'Both nodes agree on block 12. node-3 is down.',
      [on('node-1', 'a12'), on('node-2', 'a12'), on('node-3', 'a11', true)],
    ],
    [
      'Both nodes agree on block 12. node-1 is down.',
      [on('node-1', 'a12', true), on('node-2', 'a12'), on('node-3', 'a12')],
    ],
    ['node-1 does not answer. This is the last that was known.', [on('node-1', 'a12', true)]],
    ['Looking for the node…', []],
  ])('%s', (text, nodes) => {
    expect(say(nodes)).toBe(text);
  });

  it('says how far a node has caught up', () => {
    const nodes = [on('node-1', 'a1200'), on('node-2', 'a9000')];
    expect(say(nodes, { height: 1200, targetHeight: 9000 })).toBe('node-1 is catching up: block 1,200 of 9,000.');
  });
});
