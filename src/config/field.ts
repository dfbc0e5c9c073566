import { z } from 'zod';

/** One setting: its valid values, its form in the environment, its default and its purpose. */
export interface Field<T> {
  /** Checks a value of the TOML file (or one read from the environment); its messages begin with "must be". */
  readonly schema: z.ZodType<T>;
  /** Turns the text of an environment variable into the value that a TOML file would hold, if it can; otherwise keeps it. */
  readonly fromText: (text: string) => unknown;
  /** `required` has no default. */
  readonly fallback: { readonly kind: 'default'; readonly value: T } | { readonly kind: 'required' };
  /** How help shows the default. */
  readonly shownFallback: string;
  readonly doc: string;
  /** Never shown in an error message. */
  readonly secret: boolean;
}

interface Traits<T> {
  readonly doc: string;
  /** Left out = required. */
  readonly default?: T;
  /** Shown in place of the default's own text. */
  readonly shownDefault?: string;
  readonly secret?: boolean;
}

/** The type of the values of a field. */
export type ValueOf<F> = F extends Field<infer T> ? T : never;

export function wholeNumber(low: number, high: number, traits: Traits<number>): Field<number> {
  const error = `must be a whole number from ${low} to ${high}`;
  return field(z.int({ error }).min(low, { error }).max(high, { error }), numberFromText, traits);
}

/** Like wholeNumber, but `0` ("off") is valid too. */
export function wholeNumberOrZero(low: number, high: number, traits: Traits<number>): Field<number> {
  const error = `must be 0 or a whole number from ${low} to ${high}`;
  const schema = z.int({ error }).refine((value) => value === 0 || (value >= low && value <= high), { error });
  return field(schema, numberFromText, traits);
}

export function flag(traits: Traits<boolean>): Field<boolean> {
  const fromText = (text: string): unknown => (text === 'true' ? true : text === 'false' ? false : text);
  return field(z.boolean({ error: 'must be true or false' }), fromText, traits);
}

export function oneOf<const T extends string>(values: readonly T[], traits: Traits<NoInfer<T>>): Field<T> {
  const names = values.map((value) => `"${value}"`);
  const error = `must be ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  return field(z.enum(values, { error }), (text) => text, traits);
}

/** A string that `isValid`; `expected` finishes the sentence "must be ...". */
export function text(expected: string, isValid: (value: string) => boolean, traits: Traits<string>): Field<string> {
  return field(textSchema(expected, isValid), (value) => value, traits);
}

/** A list of such strings. In the environment: separated by commas, empty for none. */
export function textList(
  expected: string,
  isValid: (value: string) => boolean,
  traits: Traits<readonly string[]>,
): Field<readonly string[]> {
  const schema = z.array(textSchema(expected, isValid), { error: `must be a list, each ${expected}` });
  return field(schema, listFromText, traits);
}

/** A table with whole numbers as keys. In the environment: `5=abc,7=def`, empty for none. */
export function textByNumber(
  low: number,
  high: number,
  expected: string,
  isValid: (value: string) => boolean,
  traits: Traits<ReadonlyMap<number, string>>,
): Field<ReadonlyMap<number, string>> {
  const error = `must be a table, each key a whole number from ${low} to ${high}, each value ${expected}`;
  const isKey = (key: string): boolean => /^(0|[1-9]\d{0,15})$/.test(key) && Number(key) >= low && Number(key) <= high;
  const schema = z
    .custom<object>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), { error })
    .refine((table) => Object.entries(table).every(([k, v]) => isKey(k) && typeof v === 'string' && isValid(v)), {
      error,
    })
    .transform((table) => new Map(Object.entries(table).map(([key, value]) => [Number(key), String(value)])));
  return field(schema, tableFromText, traits);
}

/** The same field, but optional: undefined when it is not given. */
export function optional<T>(given: Field<T>): Field<T | undefined> {
  return { ...given, fallback: { kind: 'default', value: undefined }, shownFallback: 'none' };
}

function field<T>(schema: z.ZodType<T>, fromText: Field<T>['fromText'], traits: Traits<T>): Field<T> {
  const { doc, secret = false } = traits;
  if (traits.default === undefined) {
    const { shownDefault: shownFallback = 'required' } = traits;
    return { schema, fromText, fallback: { kind: 'required' }, shownFallback, doc, secret };
  }
  const shownFallback = traits.shownDefault ?? String(traits.default);
  return { schema, fromText, fallback: { kind: 'default', value: traits.default }, shownFallback, doc, secret };
}

function textSchema(expected: string, isValid: (value: string) => boolean): z.ZodType<string> {
  const error = `must be ${expected}`;
  return z.string({ error }).refine(isValid, { error });
}

function numberFromText(value: string): unknown {
  return /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}

function listFromText(value: string): string[] {
  return value.trim() === '' ? [] : value.split(',').map((entry) => entry.trim());
}

function tableFromText(value: string): unknown {
  const pairs = listFromText(value).map((entry) => entry.split('='));
  return pairs.every((pair) => pair.length === 2) ? Object.fromEntries(pairs) : value;
}
