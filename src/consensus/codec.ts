import { RuleError, type RuleCode } from './rule-error.js';

/** A 32-byte hash as 64 lower-case hex digits, byte-reversed as Bitcoin shows it. */
export type Hash = string;

export const ZERO_HASH: Hash = '0'.repeat(64);

/** Shows 32 bytes in internal order as a Hash. */
export function hashFromBytes(bytes: Uint8Array): Hash {
  return Buffer.from(bytes).reverse().toString('hex');
}

/** The 32 bytes of a Hash in internal order. @throws RangeError when `hash` is not 64 hex digits. */
export function hashToBytes(hash: Hash): Buffer {
  const bytes = Buffer.from(hash, 'hex');
  // Node stops at the first bad digit and says nothing; a short hash would shift every field behind it.
  if (bytes.length !== 32 || hash.length !== 64) throw new RangeError(`not a hash of 64 hex digits: ${hash}`);
  return bytes.reverse();
}

export function isHash(value: string): value is Hash {
  return /^[0-9a-f]{64}$/.test(value);
}

/** How many bytes `value` takes as Bitcoin's CompactSize. */
export function varintLength(value: number): number {
  return value < 0xfd ? 1 : value <= 0xffff ? 3 : 5;
}

/** Encodes `value` (0..2^32-1) as Bitcoin's CompactSize. @throws RangeError outside that range. */
export function encodeVarint(value: number): Buffer {
  const bytes = Buffer.alloc(varintLength(value));
  if (bytes.length === 1) bytes.writeUInt8(value);
  else if (bytes.length === 3) {
    bytes.writeUInt8(0xfd);
    bytes.writeUInt16LE(value, 1);
  } else {
    bytes.writeUInt8(0xfe);
    bytes.writeUInt32LE(value, 1);
  }
  return bytes;
}

/**
 * Reads little-endian fields off a byte string. Reading past the end, or a CompactSize that is not in its shortest
 * form (Bitcoin Core: ReadCompactSize "non-canonical"), throws RuleError with the code given at construction.
 */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #code: RuleCode;
  #offset = 0;

  constructor(bytes: Uint8Array, code: RuleCode) {
    this.#code = code;
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#advance(4));
  }

  int32(): number {
    return this.#bytes.readInt32LE(this.#advance(4));
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64LE(this.#advance(8));
  }

  /** The next `length` bytes, as a view on the input. */
  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** What was read since `start` (an earlier `offset`), as a view on the input. */
  since(start: number): Buffer {
    return this.#bytes.subarray(start, this.#offset);
  }

  /** Bitcoin's CompactSize, up to 2^32 - 1. */
  varint(): number {
    const first = this.uint8();
    if (first < 0xfd) return first;
    if (first === 0xff) throw this.#error('a length in 8 bytes; no length here needs more than 4');
    const value = first === 0xfd ? this.#bytes.readUInt16LE(this.#advance(2)) : this.uint32();
    if (varintLength(value) !== (first === 0xfd ? 3 : 5)) throw this.#error(`length ${value} not in its shortest form`);
    return value;
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.remaining > 0) throw this.#error(`${this.remaining} bytes too many`);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (length > this.remaining) throw this.#error(`ends ${length - this.remaining} bytes too early`);
    this.#offset = start + length;
    return start;
  }

  #error(what: string): RuleError {
    return new RuleError(this.#code, `cannot be decoded: ${what} (at byte ${this.#offset})`, { offset: this.#offset });
  }
}
