import { Module } from '@nestjs/common';
import { ChainModule } from '../chain/chain.module.js';
import { ChainService } from '../chain/chain.service.js';
import type { Clock } from '../common/clock.js';
import { CLOCK, NODE_CONFIG } from '../common/tokens.js';
import type { NodeConfig } from '../config/node-config.js';
import { EventsModule } from '../events/events.module.js';
import { MempoolModule } from '../mempool/mempool.module.js';
import { MempoolService } from '../mempool/mempool.service.js';
import { MinerModule } from '../miner/miner.module.js';
import { MinerService } from '../miner/miner.service.js';
import { PeersModule } from '../peers/peers.module.js';
import { PeersService } from '../peers/peers.service.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { HealthStore } from './health.store.js';
import { MetricsController } from './metrics.controller.js';
import { OpsMetrics } from './ops.metrics.js';
import { StatusQuery } from './status-query.js';
import { StatusController } from './status.controller.js';

type StatusParts = [NodeConfig, Clock, ChainService, MempoolService, MinerService, PeersService];

const statusQuery = {
  provide: StatusQuery,
  useFactory: (...[config, clock, chain, mempool, miner, peers]: StatusParts) =>
    new StatusQuery({ config, clock, chain, mempool, miner, peers }),
  inject: [NODE_CONFIG, CLOCK, ChainService, MempoolService, MinerService, PeersService],
};

@Module({
  imports: [ChainModule, MempoolModule, MinerModule, PeersModule, EventsModule],
  controllers: [HealthController, MetricsController, StatusController],
  providers: [HealthService, HealthStore, OpsMetrics, statusQuery],
  exports: [HealthService, StatusQuery],
})
export class OpsModule {}
