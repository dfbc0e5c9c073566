import { processUser } from '../common/process-user.js';
import { SECTIONS, SETTINGS, TOP_SECTIONS, type Setting } from './schema.js';
import { closest } from './suggest.js';

const MAX_SHOWN_CHARS = 80;

/** What to do about a section of the TOML file that does not exist there. */
export function unknownSection(section: string): string {
  const owner = SETTINGS.find((setting) => setting.key === section)?.section;
  if (owner !== undefined) return `${section}: belongs under [${owner}]`;
  const inner = Object.keys(SECTIONS).find((name) => name.endsWith(`.${section}`));
  if (inner !== undefined) return `[${section}]: is written as [${inner}]`;
  const hint = didYouMean(section, TOP_SECTIONS) || `; the sections are ${TOP_SECTIONS.join(', ')}`;
  return `[${shownKey(section)}]: no such section${hint}`;
}

/** What to do about a key that does not exist among the `settings` of its section. */
export function unknownKey(key: string, settings: readonly Setting[]): string {
  const owner = SETTINGS.find((setting) => setting.key === key)?.section;
  if (owner !== undefined) return `belongs under [${owner}]`;
  const names = settings.map((setting) => setting.key);
  return `no such key${didYouMean(key, names) || `; the keys are ${names.join(', ')}`}`;
}

/** What to do about an environment variable that is no setting. */
export function unknownVariable(variable: string): string {
  const names = SETTINGS.map((setting) => setting.variable);
  return `${shownKey(variable)}: no setting has this name${didYouMean(variable, names)}`;
}

/** Why a file could not be read, to follow its name. */
export function whyUnreadable(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text';
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return `is not readable for ${processUser()}: chown it to that user, or chmod it`;
  return `cannot be read (${code === 'EISDIR' ? 'it is a directory' : code})`;
}

/** A key or the name of a variable, safe to print and of bounded length. */
export function shownKey(key: string): string {
  return cut(/^[\w-]+$/.test(key) ? key : quote(key));
}

/** A value as the user gave it, safe to print and of bounded length. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isTable(value)) return 'a table';
  return cut(typeof value === 'string' ? quote(value) : String(value));
}

/** Is it a table of TOML (which a date is not)? */
export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function didYouMean(word: string, candidates: readonly string[]): string {
  const suggestion = closest(word, candidates);
  return suggestion === undefined ? '' : `, did you mean ${suggestion}?`;
}

/** As JSON, which leaves some control characters as they are that a terminal obeys (DEL, C1): these are escaped too. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`);
}

function cut(text: string): string {
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS - 3)}...` : text;
}
