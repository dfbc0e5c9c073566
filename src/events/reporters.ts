import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { ChainService } from '../chain/chain.service.js';
import { ForkQueries } from '../chain/fork-queries.js';
import type { Clock } from '../common/clock.js';
import { CLOCK } from '../common/tokens.js';
import { MempoolService } from '../mempool/mempool.service.js';
import { MinerService } from '../miner/miner.service.js';
import { PeersService } from '../peers/peers.service.js';
import { ChainReports } from './chain-reports.js';
import { EventFeed, type ToldEvent } from './event-feed.js';
import { MiningReports } from './mining-reports.js';
import { PeerReports } from './peer-reports.js';

/** Tells the feed what the modules below it do, from the start of the application to its end. */
@Injectable()
export class Reporters implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #reports: readonly { stop(): void }[] = [];

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly chain: ChainService,
    private readonly forks: ForkQueries,
    private readonly mempool: MempoolService,
    private readonly miner: MinerService,
    private readonly peers: PeersService,
    private readonly feed: EventFeed,
  ) {}

  onApplicationBootstrap(): void {
    const { chain, clock, feed, forks, mempool, miner, peers } = this;
    const tell = (event: ToldEvent): void => feed.tell(event);
    const isCatchingUp = (): boolean => peers.isCatchingUp;
    const chainReports = new ChainReports({ chain, forks, mempool, isCatchingUp, tell });
    this.#reports = [
      chainReports,
      new MiningReports(miner, clock, tell),
      new PeerReports(peers, clock, tell, () => chainReports.syncEnded()),
    ];
  }

  beforeApplicationShutdown(): void {
    for (const report of this.#reports) report.stop();
  }
}
