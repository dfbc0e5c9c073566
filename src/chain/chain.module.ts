import { Module } from '@nestjs/common';
import { ChainQueries } from './chain-queries.js';
import { ChainController } from './chain.controller.js';
import { ChainMetrics } from './chain.metrics.js';
import { ChainService } from './chain.service.js';
import { ForkQueries } from './fork-queries.js';

const queries = {
  provide: ChainQueries,
  useFactory: (chain: ChainService) => new ChainQueries(chain),
  inject: [ChainService],
};

const forkQueries = {
  provide: ForkQueries,
  useFactory: (chain: ChainService) => new ForkQueries(chain),
  inject: [ChainService],
};

@Module({
  providers: [ChainMetrics, ChainService, queries, forkQueries],
  controllers: [ChainController],
  exports: [ChainService, ChainQueries, ForkQueries],
})
export class ChainModule {}
