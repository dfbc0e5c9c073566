import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellsOf, cutEnd, cutMiddle, padEnd, padStart } from './cells.js';

describe('cells of a terminal', () => {
  it.each([
    ['abc', 3],
    ['Grüße', 5],
    ['世界', 4],
    ['🎉', 2],
    ['e\u0301', 1],
    ['', 0],
  ])('%j takes %d', (text, cells) => expect(cellsOf(text)).toBe(cells));

  it('cuts at the end or in the middle, never through a character', () => {
    expect([cutEnd('abcdef', 4), cutEnd('abc', 3), cutEnd('世界世界', 4), cutEnd('abc', 0)]).toEqual([
      'abc…',
      'abc',
      '世…',
      '',
    ]);
    expect(cutMiddle('0123456789abcdef', 9)).toBe('012345…ef');
    expect(cutMiddle('0123456789abcdef', 13)).toBe('01234567…cdef');
    expect(cutMiddle('0123', 2)).toBe('0…');
  });

  it('pads by cells', () => {
    expect([padEnd('世', 4), padStart('世', 4), padEnd('abc', 2)]).toEqual(['世  ', '  世', 'abc']);
  });

  it('never gives more cells than asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, width) => {
        expect(cellsOf(cutEnd(text, width))).toBeLessThanOrEqual(width);
        expect(cellsOf(cutMiddle(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('keeps few of a heap of marks on one character', () => {
    expect(cutEnd(`a${'\u0301'.repeat(1_000)}bcd`, 3).length).toBeLessThan(20);
  });
});
