import type { Hash } from './codec.js';

const TWO_256 = 1n << 256n;
const MAX_DIFFICULTY = 63;

/** A compact target taken apart, as Bitcoin Core's arith_uint256::SetCompact does. */
export interface DecodedBits {
  /** Magnitude, cut to 256 bits where it overflows. */
  readonly target: bigint;
  readonly negative: boolean;
  readonly overflow: boolean;
}

/** Decodes compact `bits` (u32): a base-256 exponent and a signed 23-bit mantissa. */
export function decodeBits(bits: number): DecodedBits {
  const size = bits >>> 24;
  const word = bits & 0x7fffff;
  const mantissa = size <= 3 ? word >>> (8 * (3 - size)) : word;
  const overflow = mantissa !== 0 && (size > 34 || (mantissa > 0xff && size > 33) || (mantissa > 0xffff && size > 32));
  const target = size <= 3 ? BigInt(mantissa) : BigInt(mantissa) << BigInt(8 * (size - 3));
  return {
    target: overflow ? target % TWO_256 : target,
    negative: mantissa !== 0 && (bits & 0x800000) !== 0,
    overflow,
  };
}

/** Encodes `target` (0..2^256-1) as compact bits, rounding down to what 23 bits of mantissa can hold. */
export function encodeBits(target: bigint): number {
  if (target === 0n) return 0;
  let size = Math.ceil(target.toString(16).length / 2);
  let word = size <= 3 ? Number(target) << (8 * (3 - size)) : Number(target >> BigInt(8 * (size - 3)));
  // The sign bit must stay free: give the mantissa another byte of exponent instead.
  if (word & 0x800000) {
    word >>>= 8;
    size += 1;
  }
  return (size << 24) | word;
}

/** The target that `bits` stand for, or undefined where they stand for none (negative, zero, above 2^256 - 1). */
export function targetOf(bits: number): bigint | undefined {
  const { target, negative, overflow } = decodeBits(bits);
  return negative || overflow || target === 0n ? undefined : target;
}

/** Expected number of hashes to meet `bits`: 2^256 / (target + 1), as Bitcoin Core's GetBlockProof; 0 for no target. */
export function workOf(bits: number): bigint {
  const target = targetOf(bits);
  return target === undefined ? 0n : TWO_256 / (target + 1n);
}

/** Is the hash, read as a 256-bit number, at most `target`? */
export function isHashWithin(hash: Hash, target: bigint): boolean {
  return BigInt(`0x${hash}`) <= target;
}

/** Is the hash, read as a 256-bit number, at most the target of `bits`? Never, where `bits` stand for none. */
export function isHashBelowTarget(hash: Hash, bits: number): boolean {
  const target = targetOf(bits);
  return target !== undefined && isHashWithin(hash, target);
}

/** Shows `bits` as eight hex digits, as Bitcoin does (`1d00ffff`). */
export function formatBits(bits: number): string {
  return bits.toString(16).padStart(8, '0');
}

/**
 * The compact target that asks for `difficulty` leading zero hex digits. Compact rounding down costs up to
 * 2^-16 of it: a hash whose next 16 bits are all set has the zeros and is still above the target.
 * @throws RangeError unless `difficulty` is a whole number 0..63.
 */
export function bitsOfDifficulty(difficulty: number): number {
  if (!Number.isInteger(difficulty) || difficulty < 0 || difficulty > MAX_DIFFICULTY) {
    throw new RangeError(`difficulty must be a whole number 0..${MAX_DIFFICULTY}, got ${difficulty}`);
  }
  return encodeBits((TWO_256 >> BigInt(4 * difficulty)) - 1n);
}

/** How many leading zero hex digits `bits` ask for, to two decimals (64 for no target); the inverse of bitsOfDifficulty. */
export function difficultyOf(bits: number): number {
  const target = targetOf(bits);
  if (target === undefined) return 64;
  return Math.round((64 - Math.log2(Number(target) + 1) / 4) * 100) / 100;
}
