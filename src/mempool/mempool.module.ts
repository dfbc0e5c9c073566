import { Module } from '@nestjs/common';
import { ChainModule } from '../chain/chain.module.js';
import { ChainService } from '../chain/chain.service.js';
import { MempoolController } from './mempool.controller.js';
import { MempoolMetrics } from './mempool.metrics.js';
import { MempoolService } from './mempool.service.js';
import { TransactionQueries } from './transaction-queries.js';

const queries = {
  provide: TransactionQueries,
  useFactory: (chain: ChainService, mempool: MempoolService) => new TransactionQueries({ chain, mempool }),
  inject: [ChainService, MempoolService],
};

@Module({
  imports: [ChainModule],
  providers: [MempoolMetrics, MempoolService, queries],
  controllers: [MempoolController],
  exports: [MempoolService, TransactionQueries],
})
export class MempoolModule {}
