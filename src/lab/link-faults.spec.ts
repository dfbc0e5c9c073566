import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { LinkDelay } from '../peers/link-delays.js';
import { LinkFaults } from './link-faults.js';

let clock: VirtualClock;
let done: string[];
let faults: LinkFaults;

beforeEach(() => {
  clock = new VirtualClock();
  done = [];
  const delay = (name: string, it?: LinkDelay): void => void done.push(`${name} ${it?.delayMs ?? 'as usual'}`);
  faults = new LinkFaults({
    nodeId: 'a',
    clock,
    ended: (what) => done.push(what),
    peers: {
      refuse: (name) => done.push(`refuse ${name}`) > 0,
      allow: (name) => void done.push(`allow ${name}`),
      delay,
      redial: () => undefined,
    },
  });
});

function taken(): string[] {
  return done.splice(0);
}

const CUT = { cut: true, delayMs: 0, jitterMs: 0 };

describe('faults of links', () => {
  it('a partition refuses the nodes of other groups, and ends by itself', async () => {
    faults.divide({ groups: [['b'], ['a', 'c'], ['d']], seconds: 2 });
    expect(taken()).toEqual(['refuse b', 'refuse d']);
    expect(faults.count).toEqual({ cut: 2, slow: 0 });
    await clock.advance(1500);
    expect(faults.partition).toMatchObject({ seconds: 1 });
    await clock.advance(500);
    expect(taken()).toEqual(['allow b', 'allow d', 'The network is whole again']);
    expect(faults.partition).toBeUndefined();
  });

  it('another partition takes the place of the first: only what changes is changed', async () => {
    faults.divide({ groups: [['a'], ['b', 'c']], seconds: 2 });
    taken();
    await clock.advance(1999);
    faults.divide({ groups: [['a', 'b'], ['c']], seconds: 2 });
    expect(taken()).toEqual(['allow b']);
    await clock.advance(1999);
    expect(taken()).toEqual([]);
  });

  it('a link that is cut by itself stays cut when the partition ends', async () => {
    faults.divide({ groups: [['a'], ['b']], seconds: 2 });
    faults.disturb('b', CUT, 5);
    await clock.advance(2000);
    expect(taken()).toEqual(['refuse b', 'b as usual', 'The network is whole again']);
    await clock.advance(3000);
    expect(taken()).toEqual(['b as usual', 'allow b', 'The link with b is as usual again']);
  });

  it('a link is slow until it is mended', () => {
    faults.disturb('b', { cut: false, delayMs: 800, jitterMs: 0 }, 5);
    expect(faults.count).toEqual({ cut: 0, slow: 1 });
    expect(faults.mend('b')).toBe(true);
    expect(faults.mend('b')).toBe(false);
    expect(taken()).toEqual(['b 800', 'b as usual']);
  });

  it('mendAll ends all, and what would have ended later says nothing', async () => {
    faults.divide({ groups: [['a'], ['b']], seconds: 2 });
    faults.disturb('c', CUT, 5);
    faults.disturb('d', { cut: false, delayMs: 5, jitterMs: 0 }, 5);
    taken();
    faults.mendAll();
    expect(taken().toSorted()).toEqual(['allow b', 'allow c', 'c as usual', 'd as usual']);
    expect([faults.links, faults.count]).toEqual([[], { cut: 0, slow: 0 }]);
    await clock.advance(10_000);
    expect(taken()).toEqual([]);
  });
});
