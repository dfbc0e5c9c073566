import { Module } from '@nestjs/common';
import { EventsModule } from '../events/events.module.js';
import { MinerModule } from '../miner/miner.module.js';
import { PeersModule } from '../peers/peers.module.js';
import { LabController } from './lab.controller.js';
import { LabMetrics } from './lab.metrics.js';
import { LabService } from './lab.service.js';

/** Causes faults on purpose. Part of a node only where `lab.enabled` says so; the cluster comes from outside (see node.ts). */
@Module({
  imports: [EventsModule, MinerModule, PeersModule],
  controllers: [LabController],
  providers: [LabMetrics, LabService],
})
export class LabModule {}
