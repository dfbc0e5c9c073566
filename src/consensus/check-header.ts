import { medianTimePast, type BlockNode } from './block-tree.js';
import type { Hash } from './codec.js';
import type { BlockHeader } from './header.js';
import type { HeaderParams } from './params.js';
import { nextBits } from './retarget.js';
import { RuleError } from './rule-error.js';
import { decodeBits, formatBits, isHashWithin, targetOf } from './target.js';

/**
 * Context-free: does the header's own hash meet its own target, and is that target within the limit? May look at
 * nothing but header and parameters (Bitcoin's CheckProofOfWork).
 * @throws RuleError `high-hash`.
 */
export function checkProofOfWork(header: BlockHeader, hash: Hash, params: HeaderParams): void {
  const target = targetOf(header.bits);
  if (target === undefined || target > decodeBits(params.limitBits).target) {
    const bits = formatBits(header.bits);
    throw new RuleError('high-hash', `bits ${bits} stand for no target within the limit`, { bits });
  }
  if (!isHashWithin(hash, target)) {
    const bits = formatBits(header.bits);
    throw new RuleError('high-hash', `hash ${hash} is above the target of bits ${bits}`, { hash, bits });
  }
}

/**
 * Contextual: may this header follow `parent`? May look at the ancestors and the clock (`nowSeconds`, since the epoch).
 * Bitcoin's ContextualCheckBlockHeader, with its order of checks; `time-too-new` is transient, the rest is for ever.
 * @throws RuleError `bad-diffbits`, `checkpoint-mismatch`, `time-too-old`, `time-too-new`.
 */
export function checkHeaderContext(
  header: BlockHeader,
  hash: Hash,
  parent: BlockNode,
  params: HeaderParams,
  nowSeconds: number,
): void {
  const height = parent.height + 1;
  checkBits(header, parent, params);
  const checkpoint = params.checkpoints.get(height);
  if (checkpoint !== undefined && checkpoint !== hash) {
    throw new RuleError('checkpoint-mismatch', `height ${height} must be ${checkpoint}, not ${hash}`, {
      height,
      expected: checkpoint,
    });
  }
  checkMedianTime(header, parent, params);
  const latest = nowSeconds + params.maxFutureSeconds;
  if (header.time > latest) {
    throw new RuleError('time-too-new', `time ${header.time} is ${header.time - nowSeconds} s ahead of our clock`, {
      time: header.time,
      latest,
    });
  }
}

/**
 * Are the bits those that the retarget requires? Looks at the ancestors as far back as the start of the interval.
 * @throws RuleError `bad-diffbits`.
 */
export function checkBits(header: BlockHeader, parent: BlockNode, params: HeaderParams): void {
  const height = parent.height + 1;
  const expectedBits = nextBits(parent, params);
  if (header.bits !== expectedBits) {
    const found = formatBits(header.bits);
    const expected = formatBits(expectedBits);
    throw new RuleError('bad-diffbits', `bits ${found} at height ${height}, expected ${expected}`, {
      height,
      found,
      expected,
    });
  }
}

/** Is the time above the median of the headers before it? @throws RuleError `time-too-old`. */
export function checkMedianTime(
  header: BlockHeader,
  parent: BlockNode,
  params: Pick<HeaderParams, 'medianTimeSpan'>,
): void {
  const median = medianTimePast(parent, params.medianTimeSpan);
  if (header.time <= median) {
    throw new RuleError('time-too-old', `time ${header.time} is not above the median time past ${median}`, {
      time: header.time,
      median,
    });
  }
}
