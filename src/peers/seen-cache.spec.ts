import { describe, expect, it } from 'vitest';
import { SeenCache } from './seen-cache.js';

describe('SeenCache', () => {
  it('says whether an entry is new', () => {
    const cache = new SeenCache(3);
    expect(cache.add('a')).toBe(true);
    expect(cache.add('a')).toBe(false);
    expect(cache.has('a')).toBe(true);
    expect(cache.has('b')).toBe(false);
  });

  it('makes room by dropping the oldest', () => {
    const cache = new SeenCache(3);
    for (const entry of ['a', 'b', 'c', 'a', 'd']) cache.add(entry);
    expect(['a', 'b', 'c', 'd'].filter((entry) => cache.has(entry))).toEqual(['b', 'c', 'd']);
    for (let index = 0; index < 1_000; index++) cache.add(String(index));
    expect(cache.size).toBe(3);
  });

  it('forgets a deleted entry', () => {
    const cache = new SeenCache(3);
    cache.add('a');
    cache.delete('a');
    expect(cache.add('a')).toBe(true);
  });
});
