import { Module } from '@nestjs/common';
import { ChainController } from './chain.controller.js';
import { ChainMetrics } from './chain.metrics.js';
import { ChainService } from './chain.service.js';

@Module({ providers: [ChainMetrics, ChainService], controllers: [ChainController], exports: [ChainService] })
export class ChainModule {}
