import { createParams, type ConsensusParams } from '../consensus/params.js';
import type { NodeConfig } from './node-config.js';

/** The consensus parameters of the network that this configuration belongs to. */
export function paramsOf({ network, blockchain }: NodeConfig): ConsensusParams {
  return createParams({
    network: network.name,
    difficulty: blockchain.difficulty,
    retargetInterval: blockchain.retargetInterval,
    targetSpacingSeconds: blockchain.targetSpacingSeconds,
    maxBlockBytes: blockchain.maxBlockBytes,
    checkpoints: blockchain.checkpoints,
    maxReorgDepth: blockchain.maxReorgDepth,
  });
}
