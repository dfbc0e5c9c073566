import { Module } from '@nestjs/common';
import { ChainModule } from '../chain/chain.module.js';
import { ChainService } from '../chain/chain.service.js';
import { longAnswerTurns } from '../common/write-json.js';
import { MempoolModule } from '../mempool/mempool.module.js';
import { MempoolService } from '../mempool/mempool.service.js';
import { ProofQueries } from './proof-queries.js';
import { ProofsController } from './proofs.controller.js';

const queries = {
  provide: ProofQueries,
  useFactory: (chain: ChainService, mempool: MempoolService) =>
    new ProofQueries({ chain, mempool, turns: longAnswerTurns }),
  inject: [ChainService, MempoolService],
};

/** Proofs of entries for others to check; the check itself is in offline/ and needs no node. */
@Module({ imports: [ChainModule, MempoolModule], providers: [queries], controllers: [ProofsController] })
export class ProofsModule {}
