/** Characters that draw nothing themselves but change how others are drawn: direction marks, zero-width ones, the BOM. */
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- They are what it looks for.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

const CONTROL_PICTURES = 0x2400;
const DELETE_PICTURE = '\u2421';

/**
 * A text of a stranger, fit to stand among ours: what would be unseen, or would turn the text around it, is shown by
 * name. Tabs and line ends stay.
 */
export function printable(text: string): string {
  return text.toWellFormed().replace(UNSEEN, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0x20) return String.fromCodePoint(CONTROL_PICTURES + code);
    if (code === 0x7f) return DELETE_PICTURE;
    return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
  });
}

/** The first `length` characters of a text of a stranger on one line, with "…" where there is more. */
export function excerpt(text: string, length: number): string {
  // A character takes at most two units, so nothing of a long text is read for nothing.
  const start = Array.from(text.slice(0, 2 * length + 2));
  const cut = start.length > length || text.length > 2 * length + 2;
  const line = printable(start.slice(0, length).join('')).replace(/\s+/g, ' ');
  return cut ? `${line}…` : line;
}
