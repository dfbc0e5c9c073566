import { ancestorAt, type BlockNode } from './block-tree.js';
import type { HeaderParams } from './params.js';
import { decodeBits, encodeBits } from './target.js';

/** How far one retarget may move the target, up or down. */
const MAX_ADJUSTMENT = 4;

/** The bits that a child of `parent` must carry (Bitcoin's GetNextWorkRequired). */
export function nextBits(parent: BlockNode, params: HeaderParams): number {
  if (params.retargetInterval === 0) return params.limitBits;
  if ((parent.height + 1) % params.retargetInterval !== 0) return parent.bits;
  // Bitcoin measures interval - 1 gaps, one too few; kept, so that its chain validates (and so for "byte for byte").
  const first = ancestorAt(parent, parent.height - (params.retargetInterval - 1))!;
  return calculateRetarget(parent.bits, first.time, parent.time, params);
}

/**
 * Bitcoin's CalculateNextWorkRequired: old target times actual over intended timespan, the ratio clamped to 1/4..4,
 * never easier than the limit. Times in seconds.
 */
export function calculateRetarget(
  lastBits: number,
  firstTime: number,
  lastTime: number,
  params: Pick<HeaderParams, 'limitBits' | 'retargetInterval' | 'targetSpacingSeconds'>,
): number {
  const intended = params.retargetInterval * params.targetSpacingSeconds;
  const shortest = Math.floor(intended / MAX_ADJUSTMENT);
  const actual = Math.min(Math.max(lastTime - firstTime, shortest), intended * MAX_ADJUSTMENT);
  const target = (decodeBits(lastBits).target * BigInt(actual)) / BigInt(intended);
  const limit = decodeBits(params.limitBits).target;
  return encodeBits(target < limit ? target : limit);
}
