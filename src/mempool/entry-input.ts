import { z } from 'zod';
import { bodyError, describeInput, expected } from '../common/http-input.js';
import { MAX_SALT_BYTES, MAX_TIMESTAMP_MS } from '../consensus/data-entry.js';
import { MAX_DATA_BYTES } from '../consensus/entry-data.js';
import { armourSchema } from './signature-input.js';

/** Entries that one request may post. */
export const MAX_POSTED_ENTRIES = 1_000;

const WHAT_DATA = `a string of 1 to ${MAX_DATA_BYTES} bytes of UTF-8, or a list of 1 to ${MAX_POSTED_ENTRIES} of them`;
const LATEST = new Date(MAX_TIMESTAMP_MS).toISOString();
const WHAT_TIMESTAMP =
  `a time such as "2026-01-01T00:00:00.000Z", or whole milliseconds since 1970, ` +
  `from 1970-01-01T00:00:00.000Z (0) to ${LATEST} (${MAX_TIMESTAMP_MS})`;
const TIMESTAMP_PATTERN = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$/;

// By hand: zod would make an issue for each of a hundred thousand wrong items. Length and encoding of the strings are for
// the mempool to judge, by the rules that hold for every transaction.
const dataSchema = z
  .unknown()
  .transform((data, context): string | string[] => {
    const problem = problemOf(data);
    if (problem === undefined) return data as string | string[];
    context.issues.push({ code: 'custom', input: data, ...problem });
    return z.NEVER;
  })
  .meta({
    openapi: {
      oneOf: [
        { type: 'string', minLength: 1, maxLength: MAX_DATA_BYTES },
        {
          type: 'array',
          minItems: 1,
          maxItems: MAX_POSTED_ENTRIES,
          items: { type: 'string', minLength: 1, maxLength: MAX_DATA_BYTES },
        },
      ],
      description: `1 to ${MAX_DATA_BYTES} bytes of UTF-8, or a list of up to ${MAX_POSTED_ENTRIES} such strings: an entry each, all of them stored in one commit or none.`,
      example: 'Hello, chain',
    },
  });

const timestampSchema = z
  .unknown()
  .transform((timestamp, context): number => {
    const timestampMs = millisecondsOf(timestamp);
    if (timestampMs !== undefined) return timestampMs;
    context.issues.push({ code: 'custom', input: timestamp, message: expected(WHAT_TIMESTAMP)({ input: timestamp }) });
    return z.NEVER;
  })
  .meta({
    openapi: {
      oneOf: [
        { type: 'string', format: 'date-time' },
        { type: 'integer', minimum: 0, maximum: MAX_TIMESTAMP_MS },
      ],
      description: 'Time of the entry, in UTC, or in whole milliseconds since 1970. By default the time of this node.',
    },
  });

const saltError = expected(`a salt of 0 to ${MAX_SALT_BYTES} bytes as hex digits, two for each byte`);

const saltSchema = z
  .string({ error: saltError })
  .regex(/^([0-9a-f]{2}){0,32}$/i, { error: saltError })
  .transform((hex) => Buffer.from(hex, 'hex'))
  .meta({
    openapi: {
      type: 'string',
      pattern: '^([0-9a-fA-F]{2}){0,32}$',
      description:
        'Up to 32 bytes as hex digits; by default random. With `timestamp` it fixes the id: a request that is sent again adds nothing, and gets the same answer.',
    },
  });

/** The body of POST /blocks. */
export const entrySchema = z
  .strictObject(
    {
      data: dataSchema,
      timestamp: timestampSchema.optional(),
      salt: saltSchema.optional(),
      signature: armourSchema.optional(),
    },
    { error: bodyError(['data', 'timestamp', 'salt', 'signature'], 'a JSON object such as {"data": "Hello"}') },
  )
  .superRefine(({ data, timestamp, salt, signature }, context) => {
    if (signature === undefined) return;
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (Array.isArray(data)) refuse('signature', 'expected none with a list: one signature signs one string');
    for (const [name, value] of Object.entries({ timestamp, salt })) {
      if (value !== undefined) refuse(name, 'expected none with a signature: a signed entry has no such field');
    }
  })
  .meta({ id: 'Entry' });

export type EntryInput = z.infer<typeof entrySchema>;

function problemOf(data: unknown): { readonly message: string; readonly path?: PropertyKey[] } | undefined {
  if (typeof data === 'string') return undefined;
  if (!Array.isArray(data)) return { message: expected(WHAT_DATA)({ input: data }) };
  if (data.length === 0 || data.length > MAX_POSTED_ENTRIES) {
    return { message: `expected a list of 1 to ${MAX_POSTED_ENTRIES} strings, got ${data.length}` };
  }
  const index = data.findIndex((item) => typeof item !== 'string');
  if (index < 0) return undefined;
  return { message: `expected a string, got ${describeInput(data[index])}`, path: [index] };
}

function millisecondsOf(timestamp: unknown): number | undefined {
  const isText = typeof timestamp === 'string' && TIMESTAMP_PATTERN.test(timestamp);
  const milliseconds = isText ? Date.parse(timestamp) : timestamp;
  if (typeof milliseconds !== 'number' || !Number.isInteger(milliseconds)) return undefined;
  if (milliseconds < 0 || milliseconds > MAX_TIMESTAMP_MS) return undefined;
  // The parser takes 30 February for 2 March.
  const isExact = !isText || new Date(milliseconds).toISOString().startsWith(timestamp.slice(0, 19));
  return isExact ? milliseconds : undefined;
}
