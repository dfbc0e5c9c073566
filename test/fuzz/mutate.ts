import type { SeededRandom } from '../support/seeded-random.js';

/** What lengths, counts and numbers are replaced by: the edges of varints, CompactSize and fixed-width fields. */
const EDGES: readonly Buffer[] = [
  '00',
  '01',
  '7f',
  '80',
  'fc',
  'fd',
  'fdfc00',
  'fdffff',
  'fe',
  'feffffffff',
  'ff',
  'ffffffffffffffff',
  '8000',
  'ffffffff0f',
  'ffffffffffffffffff01',
  'ffffffffffffffffffff',
  '00000080',
  'ffffff7f',
].map((hex) => Buffer.from(hex, 'hex'));

const MAX_CHANGES = 4;
const MAX_COPIES = 40;
/** Inputs grow no further than this; what large ones do is the matter of hard-inputs.spec.ts. */
const MAX_BYTES = 64 * 1024;

interface Material {
  readonly seeds: readonly Buffer[];
  /** Words of the format: opening brackets, tags, keys. */
  readonly tokens: readonly Buffer[];
}

type Change = (bytes: Buffer, random: SeededRandom, material: Material) => Buffer;

const CHANGES: readonly Change[] = [
  function flipBit(bytes, random) {
    return withByte(bytes, random, (byte) => byte ^ (1 << random.below(8)));
  },
  function setByte(bytes, random) {
    return withByte(bytes, random, () => random.below(256));
  },
  function nudgeByte(bytes, random) {
    return withByte(bytes, random, (byte) => byte + (random.below(2) === 0 ? 1 : 255));
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function drop(bytes, random) {
    const [start, end] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  },
  function duplicate(bytes, random) {
    const [start, end] = range(bytes, random);
    return insert(bytes, start, bytes.subarray(start, end));
  },
  function nest(bytes, random) {
    const [start, end] = range(bytes, random);
    const opening = bytes.subarray(start, Math.min(end, start + 8));
    return insert(bytes, start, ...Array<Buffer>(random.below(MAX_COPIES)).fill(opening));
  },
  function splice(bytes, random, { seeds }) {
    const other = random.pick(seeds);
    const [start, end] = range(other, random);
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), other.subarray(start, end), bytes.subarray(to)]);
  },
  function overwriteWithEdge(bytes, random) {
    const edge = random.pick(EDGES);
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), edge, bytes.subarray(at + edge.length)]);
  },
  function replaceByteWithEdge(bytes, random) {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), random.pick(EDGES), bytes.subarray(at + 1)]);
  },
  function insertToken(bytes, random, { tokens }) {
    if (tokens.length === 0) return bytes;
    return insert(bytes, random.below(bytes.length + 1), random.pick(tokens));
  },
];

/** A seed with a few things done to it: bits flipped, pieces cut, doubled, spliced in, lengths falsified. */
export function mutate(material: Material, random: SeededRandom): Buffer {
  let bytes = random.pick(material.seeds);
  for (let changes = 1 + random.below(MAX_CHANGES); changes > 0; changes--) {
    bytes = random.pick(CHANGES)(bytes, random, material).subarray(0, MAX_BYTES);
  }
  return Buffer.from(bytes);
}

function withByte(bytes: Buffer, random: SeededRandom, change: (byte: number) => number): Buffer {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const at = random.below(copy.length);
  copy[at] = change(copy[at]!);
  return copy;
}

function insert(bytes: Buffer, at: number, ...pieces: readonly Uint8Array[]): Buffer {
  return Buffer.concat([bytes.subarray(0, at), ...pieces, bytes.subarray(at)]);
}

/** Mostly short: most fields are. */
function range(bytes: Buffer, random: SeededRandom): [start: number, end: number] {
  const start = random.below(bytes.length + 1);
  const longest = random.below(4) === 0 ? bytes.length : 40;
  return [start, Math.min(bytes.length, start + random.below(longest + 1))];
}
