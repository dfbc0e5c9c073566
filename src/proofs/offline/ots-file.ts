import { ProofError } from './proof-error.js';

const MAGIC = Buffer.from('004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e89294', 'hex');
const VERSION = 1;
const BITCOIN_TAG = '0588960d73d71901';
const PENDING_TAG = '83dfe30d2ef90c8e';
const OTHER_CHAINS: Readonly<Record<string, string>> = {
  '06869a0d73d71b45': 'Litecoin',
  '30fe8087b5c7ead7': 'Ethereum',
};
const [ATTESTATION, FORK] = [0x00, 0xff];
/** Limits of the format, as all its readers have them. The first is of what a step takes and gives, in bytes. */
export const MAX_MESSAGE = 4_096;
const MAX_PAYLOAD = 8_192;
const MAX_URI = 1_000;
const MAX_DEPTH = 256;
/** Of the last seven bits of a number: it has at most 8 bytes. */
const MAX_SCALE = 2 ** 49;
/** No limit of the format: real proofs have a few kilobytes. */
export const MAX_OTS_BYTES = 262_144;

const HASHES = { 0x02: ['sha1', 20], 0x03: ['ripemd160', 20], 0x08: ['sha256', 32], 0x67: ['keccak256', 32] } as const;
const WITH_ARGUMENT = { 0xf0: 'append', 0xf1: 'prepend' } as const;
const CHANGES = { 0xf2: 'reverse', 0xf3: 'hexlify' } as const;

/** One operation on the bytes so far. */
export type OtsStep =
  | { readonly op: (typeof HASHES)[keyof typeof HASHES][0] | (typeof CHANGES)[keyof typeof CHANGES] }
  | { readonly op: (typeof WITH_ARGUMENT)[keyof typeof WITH_ARGUMENT]; readonly argument: Buffer };

/** Who says that the result of the steps existed. `height`: the result is the Merkle root of the block there. */
export type OtsAttestation =
  | { readonly kind: 'bitcoin'; readonly height: number }
  | { readonly kind: 'pending'; readonly uri: string }
  | { readonly kind: 'other'; readonly name: string };

/** A way from the digest of the file to an attestation. */
export interface OtsPath {
  readonly steps: readonly OtsStep[];
  readonly attestation: OtsAttestation;
}

/** A detached OpenTimestamps proof (`.ots`). */
export interface OtsFile {
  readonly hash: (typeof HASHES)[keyof typeof HASHES][0];
  /** Of the stamped file. */
  readonly digest: Buffer;
  readonly paths: readonly OtsPath[];
}

/** Writes a proof with one way from the SHA-256 of a file to the Merkle root of a block. */
export function encodeOts(digest: Uint8Array, steps: readonly OtsStep[], height: number): Buffer {
  const payload = encodeVaruint(height);
  return Buffer.concat([
    MAGIC,
    encodeVaruint(VERSION),
    Buffer.from([0x08]),
    digest,
    ...steps.map(encodeStep),
    Buffer.from([ATTESTATION]),
    Buffer.from(BITCOIN_TAG, 'hex'),
    encodeVaruint(payload.length),
    payload,
  ]);
}

/** Reads any proof of version 1, as strictly as the Python library, and with numbers in their shortest form only. @throws ProofError `format`. */
export function decodeOts(bytes: Uint8Array): OtsFile {
  if (bytes.length > MAX_OTS_BYTES) throw malformed(`it has more than ${MAX_OTS_BYTES} bytes`);
  const reader = new OtsReader(bytes);
  if (!reader.bytes(MAGIC.length).equals(MAGIC)) throw malformed('it does not begin as one');
  const version = reader.varuint();
  if (version !== VERSION) throw malformed(`it has version ${version}, known is ${VERSION}`);
  const tag = reader.byte();
  if (!isKeyOf(HASHES, tag)) throw malformed(`${shown(tag)} is no hash for files`);
  const [hash, length] = HASHES[tag];
  const digest = reader.bytes(length);
  const paths: OtsPath[] = [];
  readTree(reader, length, [], paths);
  reader.end();
  return { hash, digest, paths };
}

function readTree(reader: OtsReader, length: number, steps: readonly OtsStep[], paths: OtsPath[]): void {
  if (steps.length >= MAX_DEPTH) throw malformed(`it has more than ${MAX_DEPTH} steps`);
  for (let isLast = false; !isLast;) {
    let tag = reader.byte();
    isLast = tag !== FORK;
    if (!isLast) tag = reader.byte();
    if (tag === ATTESTATION) {
      paths.push({ steps, attestation: readAttestation(reader) });
      continue;
    }
    const step = readStep(reader, tag);
    const next = lengthAfter(step, length);
    if (next > MAX_MESSAGE) throw malformed(`a step gives ${next} bytes, at most ${MAX_MESSAGE} are allowed`);
    readTree(reader, next, [...steps, step], paths);
  }
}

function readStep(reader: OtsReader, tag: number): OtsStep {
  if (isKeyOf(HASHES, tag)) return { op: HASHES[tag][0] };
  if (isKeyOf(CHANGES, tag)) return { op: CHANGES[tag] };
  if (isKeyOf(WITH_ARGUMENT, tag)) return { op: WITH_ARGUMENT[tag], argument: reader.varbytes(MAX_MESSAGE, 1) };
  throw malformed(`${shown(tag)} is no operation`);
}

function lengthAfter(step: OtsStep, length: number): number {
  if ('argument' in step) return length + step.argument.length;
  if (step.op === 'reverse') return length;
  if (step.op === 'hexlify') return length * 2;
  return Object.values(HASHES).find(([name]) => name === step.op)![1];
}

function readAttestation(reader: OtsReader): OtsAttestation {
  const tag = reader.bytes(8).toString('hex');
  const payload = new OtsReader(reader.varbytes(MAX_PAYLOAD, 0));
  if (tag === BITCOIN_TAG) {
    const height = payload.varuint();
    payload.end();
    return { kind: 'bitcoin', height };
  }
  if (tag === PENDING_TAG) {
    const uri = payload.varbytes(MAX_URI, 0).toString('latin1');
    payload.end();
    if (!/^[\w\-./:]*$/.test(uri)) throw malformed('the address of a calendar has characters that none may have');
    return { kind: 'pending', uri };
  }
  return { kind: 'other', name: OTHER_CHAINS[tag] ?? `tag ${tag}` };
}

function encodeStep(step: OtsStep): Buffer {
  if ('argument' in step) {
    const tag = step.op === 'append' ? 0xf0 : 0xf1;
    return Buffer.concat([Buffer.from([tag]), encodeVaruint(step.argument.length), step.argument]);
  }
  const [tag] = [...Object.entries(HASHES), ...Object.entries(CHANGES)].find(
    ([, names]) => [names].flat()[0] === step.op,
  )!;
  return Buffer.from([Number(tag)]);
}

/** LEB128 without a sign. */
function encodeVaruint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}

class OtsReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.bytes(1)[0]!;
  }

  bytes(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#bytes.length) throw malformed(`it ends ${end - this.#bytes.length} bytes too early`);
    return this.#bytes.subarray(this.#offset, (this.#offset = end));
  }

  varuint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER || scale > MAX_SCALE) throw malformed('a number in it is too large');
      if (byte >= 0x80) continue;
      if (byte === 0 && scale > 1) throw malformed('a number in it is not in its shortest form');
      return value;
    }
  }

  varbytes(most: number, least: number): Buffer {
    const length = this.varuint();
    if (length < least || length > most)
      throw malformed(`a field has ${length} bytes, allowed are ${least} to ${most}`);
    return this.bytes(length);
  }

  end(): void {
    const left = this.#bytes.length - this.#offset;
    if (left > 0) throw malformed(`${left} bytes follow its end`);
  }
}

function isKeyOf<T extends object>(table: T, key: number): key is keyof T & number {
  return Object.hasOwn(table, key);
}

function shown(tag: number): string {
  return `0x${tag.toString(16).padStart(2, '0')}`;
}

function malformed(what: string): ProofError {
  return new ProofError('format', `not an OpenTimestamps proof: ${what}`);
}
