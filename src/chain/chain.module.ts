import { Module } from '@nestjs/common';
import { ChainQueries } from './chain-queries.js';
import { ChainController } from './chain.controller.js';
import { ChainMetrics } from './chain.metrics.js';
import { ChainService } from './chain.service.js';

const queries = {
  provide: ChainQueries,
  useFactory: (chain: ChainService) => new ChainQueries(chain),
  inject: [ChainService],
};

@Module({
  providers: [ChainMetrics, ChainService, queries],
  controllers: [ChainController],
  exports: [ChainService, ChainQueries],
})
export class ChainModule {}
