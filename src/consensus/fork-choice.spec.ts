import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeHash, linkTimes } from '../../test/support/consensus.js';
import { BlockTree, ancestorAt, linkHeader, type BlockNode } from './block-tree.js';
import { isBetterTip, planReorg } from './fork-choice.js';

const EASY = 0x207fffff; // a work of 2
const HARD = 0x203fffff; // a work of 4

/** A tree of up to 40 nodes, each given by which earlier one it stands on. */
const trees = fc
  .array(fc.record({ parent: fc.nat(), bits: fc.constantFrom(EASY, HARD) }), { minLength: 1, maxLength: 40 })
  .map((shape) => {
    const nodes: BlockNode[] = [linkHeader(fakeHash(0), { time: 0, bits: EASY }, undefined)];
    for (const { parent, bits } of shape) {
      nodes.push(linkHeader(fakeHash(nodes.length), { time: 0, bits }, nodes[parent % nodes.length]));
    }
    return nodes;
  });

describe('isBetterTip', () => {
  const trunk = linkTimes([0, 1], EASY);
  const tip = trunk[1]!;
  const twin = linkHeader(fakeHash(10), { time: 9, bits: EASY }, trunk[0]);

  it('asks for more work: on a tie the first seen stays', () => {
    expect(isBetterTip(twin, tip)).toBe(false);
    expect(isBetterTip(tip, twin)).toBe(false);
    expect(isBetterTip(tip, tip)).toBe(false);
    expect(isBetterTip(tip, trunk[0]!)).toBe(true);
    expect(isBetterTip(trunk[0]!, tip)).toBe(false);
  });

  it('goes by work, not by height', () => {
    const longer = linkHeader(fakeHash(11), { time: 9, bits: EASY }, twin);
    const heavier = linkHeader(fakeHash(12), { time: 9, bits: 0x201fffff }, trunk[0]);
    expect(longer.height).toBeGreaterThan(heavier.height);
    expect(isBetterTip(heavier, longer)).toBe(true);
    expect(isBetterTip(longer, heavier)).toBe(false);
  });
});

describe('planReorg', () => {
  const trunk = linkTimes([0, 1, 2, 3], EASY);
  const side = linkHeader(fakeHash(10), { time: 2, bits: EASY }, trunk[1]);
  const sideTip = linkHeader(fakeHash(11), { time: 3, bits: HARD }, side);

  it('disconnects from the tip down and connects from the fork point up', () => {
    const plan = planReorg(trunk[3]!, sideTip);
    expect(plan.forkPoint).toBe(trunk[1]);
    expect(plan.disconnect).toEqual([trunk[3], trunk[2]]);
    expect(plan.connect).toEqual([side, sideTip]);
  });

  it('of an extension only connects, back down only disconnects, to the same does nothing', () => {
    expect(planReorg(trunk[1]!, trunk[3]!)).toEqual({
      forkPoint: trunk[1],
      disconnect: [],
      connect: [trunk[2], trunk[3]],
    });
    expect(planReorg(trunk[3]!, trunk[1]!)).toEqual({
      forkPoint: trunk[1],
      disconnect: [trunk[3], trunk[2]],
      connect: [],
    });
    expect(planReorg(sideTip, sideTip)).toEqual({ forkPoint: sideTip, disconnect: [], connect: [] });
  });

  it('reaches any tip of any tree from any other, block by block', () => {
    fc.assert(
      fc.property(trees, fc.nat(), fc.nat(), (nodes, a, b) => {
        const from = nodes[a % nodes.length]!;
        const to = nodes[b % nodes.length]!;
        const plan = planReorg(from, to);
        let at: BlockNode = from;
        for (const node of plan.disconnect) {
          expect(node).toBe(at);
          at = at.parent!;
        }
        expect(at).toBe(plan.forkPoint);
        for (const node of plan.connect) {
          expect(node.parent).toBe(at);
          at = node;
        }
        expect(at).toBe(to);
        expect(plan.disconnect.some((node) => plan.connect.includes(node))).toBe(false);
      }),
    );
  });

  it('undone by the plan back', () => {
    fc.assert(
      fc.property(trees, fc.nat(), fc.nat(), (nodes, a, b) => {
        const there = planReorg(nodes[a % nodes.length]!, nodes[b % nodes.length]!);
        const back = planReorg(nodes[b % nodes.length]!, nodes[a % nodes.length]!);
        expect(back.forkPoint).toBe(there.forkPoint);
        expect(back.connect.toReversed()).toEqual(there.disconnect);
        expect(back.disconnect.toReversed()).toEqual(there.connect);
      }),
    );
  });
});

describe('on random trees', () => {
  it('first seen with most work wins, whatever the order in which branches grow', () => {
    fc.assert(
      fc.property(trees, (nodes) => {
        const tree = new BlockTree(nodes[0]!);
        let tip = nodes[0]!;
        for (const node of nodes.slice(1)) {
          tree.add(node);
          if (isBetterTip(node, tip)) tip = node;
        }
        const most = nodes.reduce((max, node) => (node.chainWork > max ? node.chainWork : max), 0n);
        expect(tip).toBe(nodes.find((node) => node.chainWork === most));
        expect(tree.tips.has(tip)).toBe(true);
        const parents = new Set(nodes.map((node) => node.parent));
        expect([...tree.tips]).toEqual(nodes.filter((node) => !parents.has(node)));
        expect(ancestorAt(tip, 0)).toBe(tree.genesis);
      }),
    );
  });
});
