import { paramsOf } from '../../../src/config/consensus-params.js';
import { parseConfig } from '../../../src/config/load-config.js';
import { genesisNode } from '../../support/chain-builders.js';

/** The network of an honest pair: see useHonestPair. */
export const params = paramsOf(
  parseConfig({ env: { MINICHAIN_NODE_NODE_ID: 'any', MINICHAIN_BLOCKCHAIN_DIFFICULTY: '1' } }),
);
export const genesis = genesisNode(params);

/** A hash as it travels. */
export function internal(hash: string): Buffer {
  return Buffer.from(hash, 'hex').reverse();
}

/** Says of a node that it has the first block alone. */
export const GENESIS_TIP = { length: 1, chain_work: Buffer.of(1), hash: internal(genesis.hash) };

export function helloOf(nodeId: string) {
  return { genesis_hash: internal(genesis.hash), node_id: nodeId, tip: GENESIS_TIP };
}
