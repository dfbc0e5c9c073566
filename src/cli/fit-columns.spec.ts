import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellsOf } from './cells.js';
import { fitColumns, joinCells } from './fit-columns.js';
import { table } from './format.js';

const HASH = '00008e01e0b92fd20d0cd3100e18f0d6e3c920253152d8c046f55b053f400548';
const ROWS = [
  ['height', 'hash', 'time', 'data'],
  [12_345, HASH, '2026-11-22 13:14:15Z', 'A text that is too long for a terminal'],
];
const fit = (width: number): string =>
  table(ROWS, { width, cuts: { hash: 'middle', data: 'end' }, drops: ['data', 'time'] });

describe('fitColumns', () => {
  it('cuts hashes in the middle first, then texts at the end, then leaves columns out', () => {
    expect(fit(Infinity)).toContain(`12,345  ${HASH}  2026-11-22 13:14:15Z  A text that is too long for a terminal\n`);
    expect(fit(100)).toContain(
      '12,345  00008e01e0b92fd20d0c…53f400548  2026-11-22 13:14:15Z  A text that is too long for a terminal\n',
    );
    expect(fit(70)).toBe(
      'height  hash           time                  data\n' +
        '12,345  00008e01…0548  2026-11-22 13:14:15Z  A text that is too long …\n',
    );
    expect(fit(43)).toBe('height  hash           time\n12,345  00008e01…0548  2026-11-22 13:14:15Z\n');
    expect(fit(21)).toBe('height  hash\n12,345  00008e01…0548\n');
  });

  it('never gives a line that is too long, whatever the width and the texts', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 30 });
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 60 }), (content, width) => {
        const drops = ['a'];
        const cuts = { b: 'middle', c: 'end' } as const;
        const lines = fitColumns([['a', 'b', 'c'], ...content], [true, false, false], { width, cuts, drops });
        for (const line of lines) expect(cellsOf(joinCells(line))).toBeLessThanOrEqual(width);
        expect(new Set(lines.map((line) => line.length)).size).toBe(1);
      }),
    );
  });
});
