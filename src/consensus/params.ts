import type { Hash } from './codec.js';
import { ZERO_HASH } from './codec.js';
import { createBlock, type Block } from './block.js';
import { sha256 } from './hash.js';
import type { BlockHeader } from './header.js';
import { computeMerkleRoot } from './merkle.js';
import { bitsOfDifficulty } from './target.js';
import { createCoinbase } from './coinbase.js';

/** What the header rules depend on; Bitcoin's own mainnet values fit in (see vectors.spec.ts). */
export interface HeaderParams {
  /** The easiest allowed target, compact. */
  readonly limitBits: number;
  /** Blocks between retargets, at least 2; 0 = difficulty is fixed at the limit. */
  readonly retargetInterval: number;
  readonly targetSpacingSeconds: number;
  /** How many headers the median time past looks at. */
  readonly medianTimeSpan: number;
  /** How far a header's time may be ahead of our clock. */
  readonly maxFutureSeconds: number;
  /** Hashes that the active chain must have at given heights. Local policy, not part of the genesis. */
  readonly checkpoints: ReadonlyMap<number, Hash>;
}

/** All that nodes of one network agree on, and two local guards (checkpoints, maxReorgDepth). */
export interface ConsensusParams extends HeaderParams {
  readonly network: string;
  readonly maxBlockBytes: number;
  /** Reorganisations that would disconnect more blocks are refused; undefined = no bound. Local policy. */
  readonly maxReorgDepth: number | undefined;
  readonly genesis: Block;
}

export interface ParamsOptions {
  readonly network: string;
  /** Leading zero hex digits of a block hash, 0..63. 0 makes proof of work all but instant (simulations). */
  readonly difficulty: number;
  readonly retargetInterval?: number;
  readonly targetSpacingSeconds?: number;
  readonly maxBlockBytes?: number;
  readonly checkpoints?: ReadonlyMap<number, Hash>;
  readonly maxReorgDepth?: number | undefined;
}

/** Number of the rules in README.md beside this file. A rule that changes gets a new number, and with it a new genesis. */
export const RULE_SET = 3;
export const BLOCK_VERSION = 1;
export const DEFAULT_MAX_BLOCK_BYTES = 1_048_576;
const GENESIS_TIME = Date.UTC(2026, 0, 1) / 1000;

/**
 * @throws RangeError when the network's name does not fit a coinbase (64 bytes of UTF-8), the difficulty is not a whole
 *   number 0..63, or the retarget could only ever make mining harder.
 */
export function createParams(options: ParamsOptions): ConsensusParams {
  const base = {
    network: options.network,
    limitBits: bitsOfDifficulty(options.difficulty),
    retargetInterval: options.retargetInterval ?? 0,
    targetSpacingSeconds: options.targetSpacingSeconds ?? 10,
    medianTimeSpan: 11,
    maxFutureSeconds: 7200,
    maxBlockBytes: options.maxBlockBytes ?? DEFAULT_MAX_BLOCK_BYTES,
    checkpoints: options.checkpoints ?? new Map<number, Hash>(),
    maxReorgDepth: options.maxReorgDepth,
  };
  checkRetarget(base);
  return Object.freeze({ ...base, genesis: createGenesis(base) });
}

/** What the genesis of a network commits to, in the order in which it does. */
export interface NetworkRules {
  readonly ruleSet: number;
  readonly network: string;
  /** Compact, as a number. */
  readonly limitBits: number;
  readonly retargetInterval: number;
  readonly targetSpacingSeconds: number;
  readonly medianTimeSpan: number;
  readonly maxFutureSeconds: number;
  readonly maxBlockBytes: number;
}

/**
 * Parameters of a network that somebody describes, without any local policy: for proofs, whose genesis has to be derived.
 * @throws RangeError when no network can have them; see createParams.
 */
export function paramsOfRules({ ruleSet, ...rules }: NetworkRules): ConsensusParams {
  const base = { ...rules, checkpoints: new Map<number, Hash>(), maxReorgDepth: undefined };
  checkRetarget(base);
  return Object.freeze({ ...base, genesis: createGenesis(base, ruleSet) });
}

/** Below it a quarter of the intended timespan rounds to nothing, and a retarget would ask for infinite work. */
export const MIN_RETARGET_SECONDS = 4;

/**
 * An interval of 1 measures no gap at all (Bitcoin counts interval - 1), and a timespan below 4 s has a quarter of 0 s:
 * either way the target would fall to nothing and the chain stop.
 */
function checkRetarget({ retargetInterval, targetSpacingSeconds }: HeaderParams): void {
  if (retargetInterval === 0) return;
  const isWhole = Number.isInteger(retargetInterval) && Number.isInteger(targetSpacingSeconds);
  if (!isWhole || retargetInterval < 2 || retargetInterval * targetSpacingSeconds < MIN_RETARGET_SECONDS) {
    throw new RangeError(
      `cannot retarget every ${retargetInterval} blocks of ${targetSpacingSeconds} s: ` +
        `at least 2 blocks and ${MIN_RETARGET_SECONDS} s in all are needed, in whole numbers`,
    );
  }
}

/**
 * The genesis block commits to the rule set and the parameters: the first 8 bytes of their SHA-256 are its extra nonce,
 * so nodes with other rules have another genesis hash and refuse each other at the handshake. It has no proof of work of its own;
 * nobody checks it, everybody derives it.
 */
function createGenesis(params: Omit<ConsensusParams, 'genesis'>, ruleSet = RULE_SET): Block {
  const rules = JSON.stringify([
    ruleSet,
    params.network,
    params.limitBits,
    params.retargetInterval,
    params.targetSpacingSeconds,
    params.medianTimeSpan,
    params.maxFutureSeconds,
    params.maxBlockBytes,
  ]);
  const coinbase = createCoinbase(0, sha256(Buffer.from(rules, 'utf8')).readBigUInt64LE(), params.network);
  const header: BlockHeader = {
    version: BLOCK_VERSION,
    previousHash: ZERO_HASH,
    merkleRoot: computeMerkleRoot([coinbase.id]).root,
    time: GENESIS_TIME,
    bits: params.limitBits,
    nonce: 0,
  };
  return createBlock(header, [coinbase]);
}
