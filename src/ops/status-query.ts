import { viewWork } from '../chain/block-view.js';
import type { ChainService } from '../chain/chain.service.js';
import type { Clock } from '../common/clock.js';
import { VERSION } from '../common/version.js';
import type { NodeConfig } from '../config/node-config.js';
import { difficultyOf } from '../consensus/target.js';
import type { MempoolService } from '../mempool/mempool.service.js';
import type { MinerService } from '../miner/miner.service.js';
import type { PeersService } from '../peers/peers.service.js';
import type { Status } from './status-schemas.js';

export interface StatusSources {
  readonly config: { readonly node: Pick<NodeConfig['node'], 'nodeId'>; readonly network: { readonly name: string } };
  readonly clock: Clock;
  readonly chain: Pick<ChainService, 'tip' | 'genesis'>;
  readonly mempool: Pick<MempoolService, 'size' | 'bytes'>;
  readonly miner: Pick<MinerService, 'status'>;
  readonly peers: Pick<PeersService, 'key' | 'summary' | 'syncStatus'>;
}

/** The node at a glance. Its uptime counts from when this was made. */
export class StatusQuery {
  readonly #sources: StatusSources;
  readonly #startedMs: number;

  constructor(sources: StatusSources) {
    this.#sources = sources;
    this.#startedMs = sources.clock.monotonicMs();
  }

  status(): Status {
    const { config, clock, chain, mempool, miner, peers } = this.#sources;
    const { tip, genesis } = chain;
    const { connected, known } = peers.summary();
    const { auto, active, hashRate, maxHashRate } = miner.status;
    return {
      nodeId: config.node.nodeId,
      key: peers.key,
      network: config.network.name,
      genesis: genesis.hash,
      height: tip.height,
      length: tip.height + 1,
      tip: tip.hash,
      chainWork: viewWork(tip.chainWork),
      difficulty: difficultyOf(tip.bits),
      peers: { connected, known },
      mempool: { transactions: mempool.size, bytes: mempool.bytes },
      mining: { auto, active, hashRate, maxHashRate },
      sync: peers.syncStatus(),
      version: VERSION,
      uptimeSeconds: Math.floor((clock.monotonicMs() - this.#startedMs) / 1000),
    };
  }
}
