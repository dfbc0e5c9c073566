import type * as fc from 'fast-check';
import { SeededRandom } from '../support/seeded-random.js';
import { mutate } from './mutate.js';

/** Of one input: taken, or refused in the way that is documented. */
export type Outcome = 'accepted' | 'rejected';

/** Something that reads bytes of strangers. */
export interface FuzzTarget {
  /** Valid inputs, which mutations start from. */
  readonly seeds: readonly Buffer[];
  readonly tokens?: readonly Buffer[];
  /** Inputs that have the right form and any content. */
  readonly structured: fc.Arbitrary<Buffer>;
  /** Throws where the input did what no input may do. */
  run(input: Buffer): Outcome | Promise<Outcome>;
  close?(): void | Promise<void>;
}

export type TargetMaker = () => FuzzTarget | Promise<FuzzTarget>;

export interface FuzzResult {
  readonly inputs: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly seconds: number;
  readonly slowestMs: number;
  readonly slowest: Buffer;
}

/** Names the input that did it, cut down as far as it still does it. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';

  constructor(
    readonly seed: number,
    readonly input: Buffer,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(`seed ${seed}, input ${input.toString('hex')} (${JSON.stringify(input.toString('latin1'))}): ${reason}`, {
      cause,
    });
  }
}

/**
 * Any input may take so long on a busy machine, garbage collection and all; what is quadratic takes far longer at the
 * sizes of hard-inputs.spec.ts.
 */
const INPUT_LIMIT_MS = 10_000;
const MAX_ATTEMPTS = 400;

/**
 * Runs `inputs` mutations of a target's seeds, the same for the same `seed`.
 * @throws FuzzFailure at the first that goes wrong, also by a rejected promise that nobody awaits.
 */
export async function fuzz(make: TargetMaker, inputs: number, seed: number): Promise<FuzzResult> {
  const target = await make();
  const random = new SeededRandom(seed);
  const material = { seeds: target.seeds, tokens: target.tokens ?? [] };
  const counts = { accepted: 0, rejected: 0 };
  let slowestMs = 0;
  let slowest: Buffer = Buffer.alloc(0);
  const startMs = performance.now();
  const stray = watchStrays();
  try {
    for (let index = 0; index < inputs; index++) {
      const input = mutate(material, random);
      const beganMs = performance.now();
      try {
        counts[await runOne(target, input)] += 1;
        stray.check();
      } catch (error) {
        throw new FuzzFailure(seed, await minimise(make, input), error);
      }
      const tookMs = performance.now() - beganMs;
      if (tookMs > slowestMs) [slowestMs, slowest] = [tookMs, input];
    }
  } finally {
    stray.stop();
    await target.close?.();
  }
  return { inputs, ...counts, seconds: (performance.now() - startMs) / 1000, slowestMs, slowest };
}

/** @throws whatever the target throws, and Error where the input took too long. */
export async function runOne(target: FuzzTarget, input: Buffer): Promise<Outcome> {
  const beganMs = performance.now();
  const outcome = target.run(input);
  const settled = outcome instanceof Promise ? await outcome : outcome;
  const tookMs = performance.now() - beganMs;
  if (tookMs > INPUT_LIMIT_MS) throw new Error(`took ${Math.round(tookMs)} ms`);
  return settled;
}

/** Cuts pieces out, large ones first, as long as what is left still fails in a fresh target. */
async function minimise(make: TargetMaker, input: Buffer): Promise<Buffer> {
  let best = input;
  let attempts = 0;
  for (let size = best.length >> 1; size >= 1; size >>= 1) {
    for (let start = 0; start < best.length && attempts < MAX_ATTEMPTS; attempts++) {
      const shorter = Buffer.concat([best.subarray(0, start), best.subarray(start + size)]);
      if (await isFailing(make, shorter)) best = shorter;
      else start += size;
    }
  }
  return best;
}

async function isFailing(make: TargetMaker, input: Buffer): Promise<boolean> {
  const target = await make();
  const stray = watchStrays();
  try {
    await runOne(target, input);
    stray.check();
    return false;
  } catch {
    return true;
  } finally {
    stray.stop();
    await target.close?.();
  }
}

function watchStrays(): { check(): void; stop(): void } {
  const strays: unknown[] = [];
  const note = (reason: unknown): void => void strays.push(reason);
  process.on('unhandledRejection', note);
  return {
    check: () => {
      if (strays.length > 0) throw new Error('a rejection that nobody handles', { cause: strays[0] });
    },
    stop: () => void process.off('unhandledRejection', note),
  };
}
