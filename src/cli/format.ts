import { count } from '../common/words.js';
import { cutEnd, cutMiddle } from './cells.js';
import { fitColumns, joinCells, type Fit } from './fit-columns.js';

export { count, plural } from '../common/words.js';

const UNSHOWN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
const SHORT_HASH_CELLS = 13;
const MAX_NODE_NAME_CHARS = 64;

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

/** The id of a node, and other short names that others choose, made fit for a terminal. */
export function nodeName(name: string): string {
  return printable(name, MAX_NODE_NAME_CHARS);
}

/**
 * Columns side by side, two spaces between; numbers to the right. The first row is the heading. Without `fit` it is as
 * wide as its content.
 */
export function table(rows: readonly (readonly (string | number)[])[], fit: Fit = { width: Infinity }): string {
  const shown = rows.map((row) => row.map((cell) => (typeof cell === 'number' ? count(cell) : cell)));
  const isNumeric = rows[0]!.map((_, column) => rows.length > 1 && typeof rows[1]![column] === 'number');
  return fitColumns(shown, isNumeric, fit)
    .map((cells) => `${joinCells(cells).trimEnd()}\n`)
    .join('');
}

/** Names and values, one pair a line, values aligned; what is wider than `width` cells is cut, a hash in its middle. */
export function pairs(entries: readonly (readonly [string, string])[], width = Infinity): string {
  const names = Math.max(...entries.map(([name]) => name.length));
  const room = Math.max(1, width - names - 2);
  return entries
    .map(([name, value]) => {
      const cut = isHex(value) ? cutMiddle(value, room) : cutEnd(value, room);
      return `${name.padEnd(names)}  ${cut}\n`;
    })
    .join('');
}

export function bytes(value: number): string {
  return scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

/** Hashes per second. */
export function hashRate(value: number): string {
  return scaled(value, 1000, ['H/s', 'kH/s', 'MH/s', 'GH/s', 'TH/s']);
}

/** "850 ms", "4.2 s", "3 min 5 s", "10 min", "2 h 10 min", "5 d 3 h". */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return withRest(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? withRest(hours, 'h', minutes % 60, 'min')
    : withRest(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** The moment as people read it, in UTC, to the second. */
export function moment(iso: string): string {
  return iso.replace('T', ' ').replace(/(\.\d+)?Z$/, 'Z');
}

/** "12:04:07": local time of day. */
export function clockTime(ms: number): string {
  const at = new Date(ms);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** Beginning and end of a hash: enough to tell it from others, and accepted wherever a command takes an id. */
export function shortHash(hash: string): string {
  return cutMiddle(printable(hash), SHORT_HASH_CELLS);
}

function withRest(value: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${value} ${unit}` : `${value} ${unit} ${rest} ${restUnit}`;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  const power = value < base ? 0 : Math.min(units.length - 1, Math.floor(Math.log(value) / Math.log(base)));
  const amount = value / base ** power;
  return `${power > 0 && amount < 100 ? amount.toFixed(1) : Math.round(amount)} ${units[power]}`;
}

function isHex(text: string): boolean {
  return /^[\da-f]{20,}$/.test(text);
}
