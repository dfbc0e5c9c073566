import { Module } from '@nestjs/common';
import { ChainModule } from './chain/chain.module.js';
import { EventsModule } from './events/events.module.js';
import { MempoolModule } from './mempool/mempool.module.js';
import { MinerModule } from './miner/miner.module.js';
import { OpsModule } from './ops/ops.module.js';
import { PeersModule } from './peers/peers.module.js';
import { ProofsModule } from './proofs/proofs.module.js';
import { StorageModule } from './storage/storage.module.js';

const modules = [
  StorageModule,
  ChainModule,
  MempoolModule,
  MinerModule,
  PeersModule,
  ProofsModule,
  EventsModule,
  OpsModule,
];

@Module({ imports: modules })
export class AppModule {}
