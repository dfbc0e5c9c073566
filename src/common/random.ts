import { randomBytes } from 'node:crypto';

/** A node's source of randomness, so that a simulation can seed it. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  bytes(length: number): Uint8Array;
}

export const systemRandom: Random = {
  next: () => Math.random(),
  bytes: (length) => randomBytes(length),
};

/** Uniform in [low, high). */
export function between(random: Random, low: number, high: number): number {
  return low + random.next() * (high - low);
}
