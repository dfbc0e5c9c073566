import { Module } from '@nestjs/common';
import { ChainModule } from '../chain/chain.module.js';
import type { Clock } from '../common/clock.js';
import type { Logger } from '../common/logger.js';
import { CLOCK, LOGGER, NODE_CONFIG } from '../common/tokens.js';
import type { NodeConfig } from '../config/node-config.js';
import { MempoolModule } from '../mempool/mempool.module.js';
import { HashPool } from './hash-pool.js';
import { HASHER, type Hasher } from './hasher.js';
import { InlineHasher } from './inline-hasher.js';
import { MinerController } from './miner.controller.js';
import { MinerMetrics } from './miner.metrics.js';
import { MinerService } from './miner.service.js';

/** Without threads of its own (`threads = 0`) a node mines in its main thread: for simulations of many nodes. */
function createHasher({ blockchain: { threads, maxHashRate } }: NodeConfig, log: Logger, clock: Clock): Hasher {
  return threads === 0
    ? new InlineHasher({ clock, maxHashRate })
    : new HashPool({ threads, log: log.child({ module: 'miner' }), maxHashRate });
}

@Module({
  imports: [ChainModule, MempoolModule],
  controllers: [MinerController],
  providers: [
    MinerService,
    MinerMetrics,
    { provide: HASHER, useFactory: createHasher, inject: [NODE_CONFIG, LOGGER, CLOCK] },
  ],
  exports: [MinerService],
})
export class MinerModule {}
