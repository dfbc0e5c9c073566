import { varintLength } from '../../consensus/codec.js';
import { decodeTransaction, type Transaction } from '../../consensus/transaction.js';
import type { JsonProof } from '../../proofs/offline/json-proof.js';

/** A part of a proof whose bytes the reader may change. `at` is the place in a list, and 0 where there is none. */
export interface Part {
  readonly name: 'transaction' | 'id' | 'merkle' | 'headers';
  readonly at: number;
}

/** Bytes of a part that mean one thing, `to` not included. */
export interface Segment {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** A part that is not what it was, and which of its bytes are not. */
export interface Change {
  readonly part: Part;
  readonly bytes: readonly number[];
}

export const HEADER_SEGMENTS: readonly Segment[] = [
  { name: 'version', from: 0, to: 4 },
  { name: 'previous hash', from: 4, to: 36 },
  { name: 'Merkle root', from: 36, to: 68 },
  { name: 'time', from: 68, to: 72 },
  { name: 'bits', from: 72, to: 76 },
  { name: 'nonce', from: 76, to: 80 },
];

const DIGITS = '0123456789abcdef';
/** Bytes at the beginning and the end of a long part that are shown, and around those that were changed. */
const SHOWN = { head: 96, tail: 24, around: 8 } as const;

export function hexOf(proof: JsonProof, { name, at }: Part): string {
  const value = proof[name];
  return typeof value === 'string' ? value : value[at]!;
}

export function withHex(proof: JsonProof, { name, at }: Part, hex: string): JsonProof {
  const value = proof[name];
  return { ...proof, [name]: typeof value === 'string' ? hex : value.with(at, hex) };
}

export function withDigit(hex: string, at: number, digit: string): string {
  return hex.slice(0, at) + digit + hex.slice(at + 1);
}

/** The digit that stands `by` places further; after f comes 0. */
export function turned(digit: string, by: number): string {
  return DIGITS[(DIGITS.indexOf(digit) + by + DIGITS.length) % DIGITS.length]!;
}

/** Changes one byte of the entry, of a sibling or of a header, whichever `random` (0 up to 1) says. */
export function changeAnyByte(proof: JsonProof, random: () => number): JsonProof {
  const below = (count: number): number => Math.floor(random() * count);
  const lists = (['merkle', 'headers'] as const).filter((name) => proof[name].length > 0);
  const name = (['transaction', ...lists] as const)[below(lists.length + 1)]!;
  const part: Part = { name, at: name === 'transaction' ? 0 : below(proof[name].length) };
  const hex = hexOf(proof, part);
  const at = below(hex.length / 2);
  const byte = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16) ^ (1 + below(255));
  return withHex(proof, part, hex.slice(0, 2 * at) + byte.toString(16).padStart(2, '0') + hex.slice(2 * at + 2));
}

/** What differs between the proof and what it was, in the order in which the parts are shown. */
export function changesOf(proof: JsonProof, before: JsonProof): Change[] {
  const parts: Part[] = [
    { name: 'transaction', at: 0 },
    { name: 'id', at: 0 },
    ...proof.merkle.map((_, at): Part => ({ name: 'merkle', at })),
    ...proof.headers.flatMap((hex, at): Part[] => (hex === before.headers[at] ? [] : [{ name: 'headers', at }])),
  ];
  return parts.flatMap((part) => {
    const bytes = changedBytes(hexOf(proof, part), hexOf(before, part));
    return bytes.length === 0 ? [] : [{ part, bytes }];
  });
}

/** Places of the bytes that differ in two texts of hex digits of one length. */
export function changedBytes(hex: string, before: string): number[] {
  const places: number[] = [];
  if (hex === before) return places;
  for (let at = 0; at < hex.length; at += 2)
    if (hex.slice(at, at + 2) !== before.slice(at, at + 2)) places.push(at / 2);
  return places;
}

/** Which bytes of a part are shown, as ranges without their ends: all of a short one, of a long one both ends and what changed. */
export function shownRanges(length: number, changed: readonly number[]): (readonly [from: number, to: number])[] {
  const { head, tail, around } = SHOWN;
  if (length <= head + tail) return [[0, length]];
  const wanted: [number, number][] = [
    [0, head],
    ...changed.map((at): [number, number] => [Math.max(0, at - around), Math.min(length, at + around + 1)]),
    [length - tail, length],
  ];
  const ranges: [number, number][] = [];
  for (const [from, to] of wanted.sort(([one], [other]) => one - other)) {
    const last = ranges.at(-1);
    if (last !== undefined && from <= last[1]) last[1] = Math.max(last[1], to);
    else ranges.push([from, to]);
  }
  return ranges;
}

/** The transaction that these bytes are; undefined where they are none. */
export function readTransaction(hex: string): Transaction | undefined {
  try {
    return decodeTransaction(Buffer.from(hex, 'hex'));
  } catch {
    return undefined;
  }
}

/** What the bytes of an entry mean; nothing where they are none. */
export function entrySegments(hex: string): Segment[] {
  const transaction = readTransaction(hex);
  if (transaction === undefined || transaction.kind === 'coinbase') return [];
  const end = hex.length / 2;
  const text = end - Buffer.byteLength(transaction.data, 'utf8');
  const length = text - varintLength(end - text);
  const middle: Segment[] =
    transaction.kind === 'data'
      ? [
          { name: 'timestamp', from: 1, to: 9 },
          { name: 'salt', from: 9, to: length },
        ]
      : [
          { name: 'public key', from: 1, to: 33 },
          { name: 'signature', from: 33, to: length },
        ];
  return [
    { name: 'kind', from: 0, to: 1 },
    ...middle,
    { name: 'length', from: length, to: text },
    { name: 'text', from: text, to: end },
  ];
}
