import { Module } from '@nestjs/common';
import { ChainModule } from '../chain/chain.module.js';
import { MempoolModule } from '../mempool/mempool.module.js';
import { MinerModule } from '../miner/miner.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { EventFeed } from './event-feed.js';
import { EventsController } from './events.controller.js';
import { EventsMetrics } from './events.metrics.js';
import { Reporters } from './reporters.js';

/** The typed event feed behind GET /events. */
@Module({
  imports: [ChainModule, MempoolModule, MinerModule, PeersModule],
  controllers: [EventsController],
  providers: [EventFeed, EventsMetrics, Reporters],
  exports: [EventFeed],
})
export class EventsModule {}
