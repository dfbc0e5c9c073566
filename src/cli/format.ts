const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SHORT_HASH_DIGITS = 16;

/**
 * Text of others, made fit for a terminal: control and direction characters are escaped (an entry of the chain must not be
 * able to move the cursor or retitle the window), and what is longer than `width` is cut.
 */
export function printable(text: string, width = Infinity): string {
  const shown = text.replace(UNSHOWN, (character) =>
    character === '\n' ? '\\n' : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  const characters = Array.from(shown);
  return characters.length > width ? `${characters.slice(0, width - 1).join('')}…` : shown;
}

/** Columns side by side, two spaces between; numbers to the right. The first row is the heading. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const shown = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? count(cell) : cell)));
  const isNumeric = rows[0]!.map((_, column) => rows.length > 1 && typeof rows[1]![column] === 'number');
  const widths = shown[0]!.map((_, column) => Math.max(...shown.map((row) => displayLength(row[column] ?? ''))));
  return shown
    .map((row) =>
      row
        .map((cell, column) => {
          const gap = ' '.repeat(widths[column]! - displayLength(cell));
          return isNumeric[column] ? gap + cell : cell + gap;
        })
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Names and values, one pair a line, values aligned. */
export function pairs(entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join('');
}

/** 12345 as "12,345". */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

/** "1 block", "2 blocks". */
export function plural(value: number, noun: string, nouns = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : nouns}`;
}

export function bytes(value: number): string {
  return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

/** Hashes per second. */
export function hashRate(value: number): string {
  return scaled(value, 1000, ['H/s', 'kH/s', 'MH/s', 'GH/s', 'TH/s']);
}

/** "850 ms", "4.2 s", "3 min 5 s", "2 h 10 min", "5 d 3 h". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The moment as people read it, in UTC, to the second. */
export function moment(iso: string): string {
  return iso.replace('T', ' ').replace(/(\.\d+)?Z$/, 'Z');
}

export function shortHash(hash: string): string {
  return printable(hash, SHORT_HASH_DIGITS);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  const power = value < base ? 0 : Math.min(units.length - 1, Math.floor(Math.log(value) / Math.log(base)));
  const amount = value / base ** power;
  return `${power > 0 && amount < 100 ? amount.toFixed(1) : Math.round(amount)} ${units[power]}`;
}

function displayLength(text: string): number {
  return Array.from(text).length;
}
