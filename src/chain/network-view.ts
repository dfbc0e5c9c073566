import { MAX_BLOCK_TRANSACTIONS } from '../consensus/block.js';
import { MAX_SALT_BYTES, MAX_TIMESTAMP_MS } from '../consensus/data-entry.js';
import { MAX_DATA_BYTES } from '../consensus/entry-data.js';
import { RULE_SET, type ConsensusParams } from '../consensus/params.js';
import { difficultyOf, formatBits } from '../consensus/target.js';
import type { NetworkView } from './chain-schemas.js';

/** All that the nodes of a network agree on, enough to derive its genesis; and the two policies of this node alone. */
export function viewNetwork(params: ConsensusParams): NetworkView {
  const { header, hash } = params.genesis;
  return {
    network: params.network,
    ruleSet: RULE_SET,
    genesis: hash,
    genesisTime: header.time,
    blockVersion: header.version,
    limitBits: formatBits(params.limitBits),
    difficulty: difficultyOf(params.limitBits),
    retargetInterval: params.retargetInterval,
    targetSpacingSeconds: params.targetSpacingSeconds,
    medianTimeSpan: params.medianTimeSpan,
    maxFutureSeconds: params.maxFutureSeconds,
    maxBlockBytes: params.maxBlockBytes,
    maxBlockTransactions: MAX_BLOCK_TRANSACTIONS,
    maxDataBytes: MAX_DATA_BYTES,
    maxSaltBytes: MAX_SALT_BYTES,
    maxTimestamp: new Date(MAX_TIMESTAMP_MS).toISOString(),
    checkpoints: [...params.checkpoints].map(([index, checkpoint]) => ({ index, hash: checkpoint })),
    maxReorgDepth: params.maxReorgDepth ?? null,
  };
}
