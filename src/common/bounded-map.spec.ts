import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { BoundedMap } from './bounded-map.js';

describe('BoundedMap', () => {
  it('drops what was set longest ago', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    map.set('c', 4);
    expect([map.get('a'), map.has('b'), map.get('c'), map.size]).toEqual([3, false, 4, 2]);
  });

  const seed = Math.floor(Math.random() * 2 ** 31);
  it(`holds what a plain list of the same operations holds (seed ${seed})`, () => {
    const random = new SeededRandom(seed);
    for (const capacity of [1, 2, 7, 50]) {
      const map = new BoundedMap<number, number>(capacity);
      let list: [key: number, value: number][] = [];
      for (let step = 0; step < 5_000; step++) {
        const key = random.below(capacity * 3);
        list = list.filter(([other]) => other !== key);
        if (random.next() < 0.3) map.delete(key);
        else {
          map.set(key, step);
          list = [...list, [key, step] as [number, number]].slice(-capacity);
        }
        expect(map.size).toBe(list.length);
        for (let other = 0; other < capacity * 3; other++) {
          expect(map.get(other)).toBe(list.find(([present]) => present === other)?.[1]);
        }
      }
    }
  });
});
