const WIDE =
  /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;
/** Marks that are drawn over the character before them. A selector that may widen it (U+FE0F) counts as one cell. */
const DRAWN_OVER = /[\p{Mn}\p{Me}]/u;
const SELECTOR = '\uFE0F';

/** How many cells of a terminal a text takes that has no control characters. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const character of text) cells += cellsOfCharacter(character);
  return cells;
}

/** The beginning of a text in at most `width` cells, with "…" where something is missing. */
export function cutEnd(text: string, width: number): string {
  if (cellsOf(text) <= width) return text;
  return width < 1 ? '' : `${takeCells(Array.from(text), width - 1)}…`;
}

/** Beginning and end of a text in at most `width` cells, with "…" between them: for hashes, whose ends differ most. */
export function cutMiddle(text: string, width: number): string {
  if (cellsOf(text) <= width) return text;
  if (width < 3) return cutEnd(text, width);
  const characters = Array.from(text);
  const tail = Math.floor((width - 1) / 3);
  const end = takeCells(characters.toReversed(), tail);
  return `${takeCells(characters, width - 1 - tail)}…${Array.from(end).reverse().join('')}`;
}

/** @param width in cells. */
export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - cellsOf(text)));
}

/** @param width in cells. */
export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - cellsOf(text))) + text;
}

function takeCells(characters: readonly string[], width: number): string {
  let taken = '';
  let left = width;
  for (const character of characters) {
    left -= cellsOfCharacter(character);
    // A heap of marks on one character would be drawn over the lines above and below.
    if (left < 0 || taken.length > 4 * width) break;
    taken += character;
  }
  return taken;
}

function cellsOfCharacter(character: string): number {
  if (character < '\u0300') return 1;
  if (DRAWN_OVER.test(character) && character !== SELECTOR) return 0;
  return WIDE.test(character) ? 2 : 1;
}
