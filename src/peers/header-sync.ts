import type { ChainService } from '../chain/chain.service.js';
import { nowSeconds, type Clock } from '../common/clock.js';
import { linkHeader, type BlockNode } from '../consensus/block-tree.js';
import { checkHeaderContext, checkProofOfWork } from '../consensus/check-header.js';
import type { Hash } from '../consensus/codec.js';
import { RuleError } from '../consensus/rule-error.js';
import { WireError } from './messages.js';
import type { Peer } from './peer.js';
import { LIMITS, decodeHeaders, encodeHashes, type HashedHeader } from './wire.js';

/** A run of headers may last for this long, and longer for each header that is new: a full answer over 64 kbit/s. */
const RUN_MS = 30_000;
const RUN_MS_PER_HEADER = 10;
/** Answers that mostly repeat. A peer that reorganises shows its branch again from the fork on. */
const MAX_REPEATS = 2;
/** How far headers may run ahead of the blocks, in messages; then the blocks are fetched first. Bounds memory. */
const MAX_ROUNDS = 50;
/** The most headers that are held at a time. */
export const MAX_RUN_HEADERS = MAX_ROUNDS * LIMITS.headers;

/** Told of the `time-too-new` by which a header has to wait. */
export type TooNew = (error: RuleError) => void;

/** Headers of a peer's chain that we have no blocks for. */
export interface HeaderBranch {
  /** Each checked, linked, in ascending order. */
  readonly nodes: readonly BlockNode[];
  /**
   * 'whole': the peer has no more to show; 'too-new': the next one has to wait; 'cut': we asked for no more; 'slow': its
   * time was over.
   */
  readonly end: 'whole' | 'too-new' | 'cut' | 'slow';
}

export interface HeaderFetchInit {
  readonly peer: Peer;
  readonly chain: ChainService;
  readonly clock: Clock;
  /** For each answer; for all of them while others wait for their turn. */
  readonly patienceMs: number;
  readonly othersWait?: () => boolean;
  /** Told when a header lies too far in the future; the branch ends before it. */
  readonly tooNew?: TooNew;
}

/**
 * Fetches and checks the headers by which a peer's chain differs from ours. Nothing is stored; each header has proof
 * of work, bits, time and checkpoints checked here, before any body is asked for. The run is bounded by its length, its
 * time and its progress, whatever work the peer claims.
 * @throws RuleError when a header breaks a rule, WireError when the answer does not link (`unrequested-data`) or answers
 *   keep repeating headers (`stalling`), RequestFailedError.
 */
export async function fetchHeaders(given: HeaderFetchInit): Promise<HeaderBranch> {
  const { peer, chain, clock, patienceMs, othersWait = () => false, tooNew = () => {} } = given;
  const nodes: BlockNode[] = [];
  const shown = new Set<Hash>();
  const startMs = clock.monotonicMs();
  let repeats = 0;
  let locator = chain.locator();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const value = { locator: encodeHashes(locator), stopHash: Buffer.alloc(0) };
    const answer = await peer.session.request({ $case: 'getHeaders', value }, 'headers', patienceMs);
    const headers = decodeHeaders(answer);
    const isTimely = appendHeaders(nodes, headers, chain, nowSeconds(clock), tooNew);
    const last = headers.at(-1);
    if (last !== undefined) peer.known.add(last.hash);
    if (!isTimely) return { nodes, end: 'too-new' };
    const shownBefore = shown.size;
    for (const { hash } of headers) shown.add(hash);
    const fresh = shown.size - shownBefore;
    if (last === undefined || fresh === 0 || headers.length < LIMITS.headers) return { nodes, end: 'whole' };
    if (fresh < headers.length / 2 && ++repeats > MAX_REPEATS) {
      throw new WireError('stalling', `${repeats} answers repeat headers, the last one ${headers.length - fresh}`);
    }
    const tookMs = clock.monotonicMs() - startMs;
    const limitMs = othersWait() ? patienceMs : RUN_MS + RUN_MS_PER_HEADER * shown.size;
    if (tookMs > limitMs) return { nodes, end: 'slow' };
    locator = [last.hash, ...chain.locator()].slice(0, LIMITS.locator);
  }
  return { nodes, end: 'cut' };
}

/**
 * Appends what is new of one message. Where the peer has reorganised since its last one, the branch is cut back.
 * False when a header lies too far in the future, so that the rest must wait.
 */
function appendHeaders(
  branch: BlockNode[],
  headers: readonly HashedHeader[],
  chain: ChainService,
  now: number,
  tooNew: TooNew,
): boolean {
  let previous: Hash | undefined;
  for (const { hash, header } of headers) {
    if (previous !== undefined && header.previousHash !== previous) {
      throw new WireError('unrequested-data', `header ${hash} does not follow the one before it`);
    }
    previous = hash;
    if (chain.node(hash) !== undefined) continue;
    const parent = cutBackTo(branch, header.previousHash) ?? chain.node(header.previousHash);
    if (parent === undefined) {
      throw new WireError('unrequested-data', `header ${hash} does not link to the chain it was asked for`);
    }
    const invalid = chain.invalidCode(hash);
    if (invalid !== undefined) throw new RuleError(invalid, `block ${hash} is known to be invalid`);
    try {
      checkProofOfWork(header, hash, chain.params);
      checkHeaderContext(header, hash, parent, chain.params, now);
    } catch (error) {
      if (!(error instanceof RuleError) || error.code !== 'time-too-new') throw error;
      tooNew(error);
      return false;
    }
    branch.push(linkHeader(hash, header, parent));
  }
  return true;
}

/** Makes `hash` the end of the branch; empties it, and gives undefined, when it is not in there. */
function cutBackTo(branch: BlockNode[], hash: Hash): BlockNode | undefined {
  const index = branch.findLastIndex((node) => node.hash === hash);
  branch.length = index + 1;
  return branch[index];
}

/** The headers of our active chain that follow the first locator hash we know. */
export function serveHeaders(chain: ChainService, locator: readonly Hash[], stopHash: Hash | undefined): Buffer[] {
  const fork = chain.findLocatorFork(locator);
  const stop = stopHash === undefined ? undefined : chain.node(stopHash);
  const limit =
    stop !== undefined && chain.isActive(stop)
      ? Math.min(LIMITS.headers, Math.max(0, stop.height - fork.height))
      : LIMITS.headers;
  return chain.getHeaderBytes(fork.height + 1, limit);
}
