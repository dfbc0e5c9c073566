import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fakeHash, linkTimes } from '../../test/support/consensus.js';
import { BlockTree, ancestorAt, findForkPoint, linkHeader, locatorHeights, medianTimePast } from './block-tree.js';

const BITS = 0x207fffff; // a work of 2

describe('linkHeader', () => {
  it('stands at height 0 without a parent, and its work begins the sum', () => {
    const genesis = linkHeader(fakeHash(0), { time: 5, bits: 0x1d00ffff }, undefined);
    expect(genesis).toEqual({
      hash: fakeHash(0),
      parent: undefined,
      height: 0,
      time: 5,
      bits: 0x1d00ffff,
      chainWork: 0x100010001n,
      id: 0,
    });
    const child = linkHeader(fakeHash(1), { time: 4, bits: BITS }, genesis);
    expect(child).toEqual({
      hash: fakeHash(1),
      parent: genesis,
      height: 1,
      time: 4,
      bits: BITS,
      chainWork: 0x100010003n,
      id: 0,
    });
  });
});

describe('ancestorAt', () => {
  const nodes = linkTimes([0, 1, 2, 3], BITS);

  it('finds every height from 0 to its own, and nothing outside', () => {
    for (const node of nodes) expect(ancestorAt(nodes[3]!, node.height)).toBe(node);
    expect(ancestorAt(nodes[3]!, 4)).toBeUndefined();
    expect(ancestorAt(nodes[3]!, -1)).toBeUndefined();
  });
});

describe('medianTimePast', () => {
  it.each([
    [[7], 7],
    [[1, 9], 9],
    [[9, 1], 9],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 3],
    [[11, 2, 10, 3, 9, 4, 8, 5, 7, 6, 1], 6],
    [[1000, 11, 2, 10, 3, 9, 4, 8, 5, 7, 6, 1], 6],
    [[0, 11, 2, 10, 3, 9, 4, 8, 5, 7, 6, 1], 6],
  ])('of %j is %i', (times, median) => {
    expect(medianTimePast(linkTimes(times, BITS).at(-1)!, 11)).toBe(median);
  });

  it('sorts by number, not by digits', () => {
    expect(medianTimePast(linkTimes([9, 10, 100], BITS).at(-1)!, 11)).toBe(10);
  });

  it('looks at just the span', () => {
    expect(medianTimePast(linkTimes([50, 1, 2, 3], BITS).at(-1)!, 3)).toBe(2);
    expect(medianTimePast(linkTimes([50, 1, 2, 3], BITS).at(-1)!, 1)).toBe(3);
  });

  it('leaves as many of the last eleven times on each side', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 25 }), (times) => {
        const median = medianTimePast(linkTimes(times, BITS).at(-1)!, 11);
        const last = times.slice(-11);
        expect(last.filter((time) => time < median).length).toBeLessThanOrEqual(last.length >> 1);
        expect(last.filter((time) => time > median).length).toBeLessThanOrEqual((last.length - 1) >> 1);
      }),
    );
  });
});

describe('findForkPoint', () => {
  const trunk = linkTimes([0, 1, 2], BITS);
  const left = linkHeader(fakeHash(10), { time: 3, bits: BITS }, trunk[1]);
  const leftTip = linkHeader(fakeHash(11), { time: 4, bits: BITS }, left);

  it.each([
    ['the node itself', leftTip, leftTip, leftTip],
    ['the lower of a line', trunk[0]!, trunk[2]!, trunk[0]!],
    ['the parent', left, leftTip, left],
    ['the last in common, of equal heights', trunk[2]!, left, trunk[1]!],
    ['the last in common, of unequal heights', trunk[2]!, leftTip, trunk[1]!],
  ])('is %s', (_, a, b, expected) => {
    expect(findForkPoint(a, b)).toBe(expected);
    expect(findForkPoint(b, a)).toBe(expected);
  });

  it('of two trees does not exist', () => {
    const foreign = linkTimes([0, 1], BITS);
    expect(() => findForkPoint(leftTip, foreign[1]!)).toThrow('no common ancestor');
    expect(() => findForkPoint(foreign[0]!, leftTip)).toThrow('no common ancestor');
    expect(() => findForkPoint(foreign[0]!, trunk[0]!)).toThrow('no common ancestor');
  });
});

describe('locatorHeights', () => {
  it.each([
    [0, [0]],
    [1, [1, 0]],
    [9, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
    [10, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]],
    [11, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 0]],
    [12, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 1, 0]],
    [50, [50, 49, 48, 47, 46, 45, 44, 43, 42, 41, 39, 35, 27, 11, 0]],
  ])('of %i', (tipHeight, heights) => {
    expect(locatorHeights(tipHeight)).toEqual(heights);
  });

  it('begin at the tip, fall in steps that at most double, end with the genesis, and are few', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat({ max: 100 }), fc.nat({ max: 10_000_000 })), (tipHeight) => {
        const heights = locatorHeights(tipHeight);
        expect(heights[0]).toBe(tipHeight);
        expect(heights.at(-1)).toBe(0);
        expect(heights.length).toBeLessThanOrEqual(12 + Math.log2(tipHeight + 1));
        for (let i = 1; i < heights.length; i++) {
          const step = heights[i - 1]! - heights[i]!;
          expect(step).toBeGreaterThan(0);
          // So at worst, half of what a peer has not in common is sent in vain.
          expect(step).toBeLessThanOrEqual(Math.max(1, 2 * (tipHeight - heights[i - 1]!)));
          if (i < 10) expect(step).toBe(1);
        }
      }),
    );
  });
});

describe('BlockTree', () => {
  const trunk = linkTimes([0, 1, 2], BITS);
  const side = linkHeader(fakeHash(10), { time: 3, bits: BITS }, trunk[1]);

  function tree(): BlockTree {
    const made = new BlockTree(trunk[0]!);
    for (const node of [...trunk.slice(1), side]) made.add(node);
    return made;
  }

  it('begins with its genesis', () => {
    const fresh = new BlockTree(trunk[0]!);
    expect(fresh.genesis).toBe(trunk[0]);
    expect(fresh.get(fakeHash(0))).toBe(trunk[0]);
    expect(fresh.size).toBe(1);
    expect([...fresh.tips]).toEqual([trunk[0]]);
  });

  it('finds what was added, by hash', () => {
    const full = tree();
    for (const node of [...trunk, side]) expect(full.get(node.hash)).toBe(node);
    expect(full.get(fakeHash(99))).toBeUndefined();
    expect(full.size).toBe(4);
  });

  it('knows the ends of its branches in the order in which they came', () => {
    const full = tree();
    expect([...full.tips]).toEqual([trunk[2], side]);
    const next = linkHeader(fakeHash(12), { time: 5, bits: BITS }, trunk[2]);
    full.add(next);
    expect([...full.tips]).toEqual([side, next]);
  });

  it('takes no node without a parent in it, none of another tree, none twice', () => {
    const full = tree();
    const [twin, child] = linkTimes([0, 1], BITS);
    expect(() => full.add(linkHeader(fakeHash(50), { time: 0, bits: BITS }, undefined))).toThrow('not in the tree');
    expect(() =>
      full.add(linkHeader(fakeHash(52), { time: 0, bits: BITS }, linkHeader(fakeHash(51), side, undefined))),
    ).toThrow('not in the tree');
    expect(() => full.add({ ...child!, hash: fakeHash(53), parent: twin })).toThrow('not in the tree');
    expect(() => full.add(side)).toThrow('already');
    expect(full.size).toBe(4);
    expect([...full.tips]).toEqual([trunk[2], side]);
  });
});
