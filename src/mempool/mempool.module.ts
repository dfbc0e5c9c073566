import { Module } from '@nestjs/common';
import { ChainModule } from '../chain/chain.module.js';
import { MempoolController } from './mempool.controller.js';
import { MempoolMetrics } from './mempool.metrics.js';
import { MempoolService } from './mempool.service.js';

@Module({
  imports: [ChainModule],
  providers: [MempoolMetrics, MempoolService],
  controllers: [MempoolController],
  exports: [MempoolService],
})
export class MempoolModule {}
