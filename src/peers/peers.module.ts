import { Module } from '@nestjs/common';
import { ChainModule } from '../chain/chain.module.js';
import { MempoolModule } from '../mempool/mempool.module.js';
import { GrpcServerController } from './grpc-server.controller.js';
import { PeersController } from './peers.controller.js';
import { PeersMetrics } from './peers.metrics.js';
import { PeersService } from './peers.service.js';

/** Sessions with other nodes, gossip, sync and discovery. The dialer comes from outside (see node.ts). */
@Module({
  imports: [ChainModule, MempoolModule],
  controllers: [GrpcServerController, PeersController],
  providers: [PeersService, PeersMetrics],
  exports: [PeersService],
})
export class PeersModule {}
