import { formatBits } from '../../consensus/target.js';
import { RULE_SET, paramsOfRules, type ConsensusParams } from '../../consensus/params.js';
import type { ProofNetwork } from './json-proof.js';
import { ProofError } from './proof-error.js';

/** A network as a proof describes it. */
export function networkOf(params: ConsensusParams): ProofNetwork {
  return {
    ruleSet: RULE_SET,
    network: params.network,
    limitBits: formatBits(params.limitBits),
    retargetInterval: params.retargetInterval,
    targetSpacingSeconds: params.targetSpacingSeconds,
    medianTimeSpan: params.medianTimeSpan,
    maxFutureSeconds: params.maxFutureSeconds,
    maxBlockBytes: params.maxBlockBytes,
    genesis: params.genesis.hash,
  };
}

/** The parameters of the network, with the genesis derived from them. @throws ProofError `rules`, `genesis`. */
export function paramsOfNetwork(network: ProofNetwork): ConsensusParams {
  let params: ConsensusParams;
  try {
    params = paramsOfRules({ ...network, limitBits: Number.parseInt(network.limitBits, 16) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ProofError('rules', `no network has these parameters: ${error.message}`);
  }
  const { hash } = params.genesis;
  if (hash !== network.genesis) {
    throw new ProofError('genesis', `the parameters give the genesis ${hash}, the proof names ${network.genesis}`);
  }
  return params;
}
