import { z } from 'zod';

const SHOWN_CHARS = 40;
const SHOWN_NAMES = 8;

/** Names a value that a caller sent, for "expected ..., got ..."; long strings are cut. */
export function describeInput(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') {
    return JSON.stringify(value.length > SHOWN_CHARS ? `${value.slice(0, SHOWN_CHARS)}...` : value);
  }
  return `the ${typeof value} ${JSON.stringify(value)}`;
}

/** A zod error message: what is expected here, and what came instead. */
export function expected(what: string): (issue: { readonly input?: unknown }) => string {
  return (issue) => `expected ${what}, got ${describeInput(issue.input)}`;
}

/** Names keys or parameters that are unknown: a few of them, and how many more there are. */
export function listNames(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).map(describeInput);
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** The zod error message of a strict object in a body: names unknown keys and those that are known. */
export function bodyError(
  knownKeys: readonly string[],
  what: string,
): (issue: { readonly code?: string; readonly keys?: readonly string[]; readonly input?: unknown }) => string {
  return (issue) =>
    issue.code === 'unrecognized_keys'
      ? `unknown key ${listNames(issue.keys ?? [])}; known here: ${listNames(knownKeys)}`
      : expected(what)(issue);
}

/**
 * A whole number in a path or query. Digits only: the other forms that Number() accepts ('', ' 1', '1e3', '0x10') are refused.
 * Without `max`, any number that a double holds exactly. `documented` goes into the OpenAPI schema.
 */
export function integerText(range: { readonly min: number; readonly max?: number }, documented: object = {}) {
  const { min, max } = range;
  const error = expected(max === undefined ? `a whole number from ${min} up` : `a whole number from ${min} to ${max}`);
  return z
    .string({ error })
    .regex(/^\d{1,16}$/, { error })
    .transform(Number)
    .pipe(
      z
        .number()
        .min(min, { error })
        .max(max ?? Number.MAX_SAFE_INTEGER, { error }),
    )
    .meta({
      openapi: { type: 'integer', minimum: min, ...(max === undefined ? {} : { maximum: max }), ...documented },
    });
}

/** A block hash or transaction id in a path, in upper or lower case; becomes the lower-case Hash. */
export function hashText(what: string) {
  const error = expected(`${what} (64 hex digits)`);
  return z
    .string({ error })
    .regex(/^[0-9a-f]{64}$/i, { error })
    .transform((text) => text.toLowerCase())
    .meta({
      openapi: {
        type: 'string',
        pattern: '^[0-9a-fA-F]{64}$',
        description: `${what}, 64 hex digits`.replace(/^an? /, ''),
      },
    });
}
