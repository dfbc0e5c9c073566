import { Module } from '@nestjs/common';
import { ChainModule } from '../chain/chain.module.js';
import { MempoolModule } from '../mempool/mempool.module.js';
import { MinerModule } from '../miner/miner.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { HealthController } from './health.controller.js';
import { HealthService } from './health.service.js';
import { HealthStore } from './health.store.js';
import { MetricsController } from './metrics.controller.js';
import { OpsMetrics } from './ops.metrics.js';
import { StatusController } from './status.controller.js';

@Module({
  imports: [ChainModule, MempoolModule, MinerModule, PeersModule],
  controllers: [HealthController, MetricsController, StatusController],
  providers: [HealthService, HealthStore, OpsMetrics],
  exports: [HealthService],
})
export class OpsModule {}
