import type { NetworkView } from '../../chain/chain-schemas.js';
import type { ConsensusParams } from '../../consensus/params.js';
import { HOME_URL } from '../model/network.js';
import { getJson } from '../model/rest.js';

export type Consensus = typeof import('./consensus.js');

/** The rules of consensus/ as they run in this browser. */
export function loadConsensus(): Promise<Consensus> {
  return import('./consensus.js');
}

let params: Promise<ConsensusParams> | undefined;

/** The parameters of the node's network. */
export function loadParams(): Promise<ConsensusParams> {
  params ??= Promise.all([loadConsensus(), getJson<NetworkView>(`${HOME_URL}/network`)]).then(([rules, network]) =>
    rules.createParams({
      network: network.network,
      difficulty: Math.round(network.difficulty),
      retargetInterval: network.retargetInterval,
      targetSpacingSeconds: network.targetSpacingSeconds,
      maxBlockBytes: network.maxBlockBytes,
    }),
  );
  params.catch(() => (params = undefined));
  return params;
}
