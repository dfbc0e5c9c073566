import { cellsOf, cutEnd, cutMiddle, padEnd, padStart } from './cells.js';

const GAP = '  ';
/** What a column keeps at least when it is cut: of a hash enough to tell it from others. */
const LEAST = { middle: 13, end: 8 } as const;

/** How a table may shrink to the width of a terminal; columns are named by their headings. */
export interface Fit {
  /** In cells. */
  readonly width: number;
  /** Columns that may be cut, and where; those named first are cut first. */
  readonly cuts?: Readonly<Record<string, keyof typeof LEAST>>;
  /** Columns that are left out, one after the other, where cutting is not enough. */
  readonly drops?: readonly string[];
}

/** A row is text; in the column of a number it stands to the right. */
export type Row = readonly string[];

/**
 * Cells cut and padded so that each row, its cells joined by two spaces, fits into the width. The first row is the heading.
 * @param isRight whether a column stands to the right.
 */
export function fitColumns(rows: readonly Row[], isRight: readonly boolean[], fit: Fit): string[][] {
  const headings = rows[0]!;
  const { cuts = {}, drops = [], width } = fit;
  const natural = headings.map((_, column) => Math.max(...rows.map((row) => cellsOf(row[column] ?? ''))));
  const shown = new Set(headings.keys());
  let widths = shrink(natural, headings, shown, fit);
  for (const drop of drops) {
    if (total(widths, shown) <= width) break;
    shown.delete(headings.indexOf(drop));
    widths = shrink(natural, headings, shown, fit);
  }
  // Whatever the width, no line wraps.
  for (const column of [...shown].reverse()) {
    const over = total(widths, shown) - width;
    if (over <= 0) break;
    if (over < widths[column]! || shown.size === 1) widths[column] = Math.max(0, widths[column]! - over);
    else shown.delete(column);
  }
  return rows.map((row) =>
    [...shown].map((column) => {
      const cell = row[column] ?? '';
      const wanted = widths[column]!;
      const cut =
        cuts[headings[column]!] === 'middle' && row !== headings ? cutMiddle(cell, wanted) : cutEnd(cell, wanted);
      return isRight[column] ? padStart(cut, wanted) : padEnd(cut, wanted);
    }),
  );
}

export function joinCells(cells: readonly string[]): string {
  return cells.join(GAP);
}

function shrink(natural: readonly number[], headings: Row, shown: ReadonlySet<number>, fit: Fit): number[] {
  const widths = [...natural];
  for (const [heading, kind] of Object.entries(fit.cuts ?? {})) {
    const column = headings.indexOf(heading);
    if (!shown.has(column)) continue;
    const over = total(widths, shown) - fit.width;
    if (over <= 0) break;
    const least = Math.max(LEAST[kind], cellsOf(heading));
    widths[column] = Math.min(widths[column]!, Math.max(least, widths[column]! - over));
  }
  return widths;
}

function total(widths: readonly number[], shown: ReadonlySet<number>): number {
  return [...shown].reduce((sum, column) => sum + widths[column]! + GAP.length, -GAP.length);
}
