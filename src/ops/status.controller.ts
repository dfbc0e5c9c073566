import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { hashSchema, viewWork } from '../chain/block-view.js';
import { ChainService } from '../chain/chain.service.js';
import type { Clock } from '../common/clock.js';
import { CLOCK, NODE_CONFIG } from '../common/tokens.js';
import type { NodeConfig } from '../config/node-config.js';
import { difficultyOf } from '../consensus/target.js';
import { MempoolService } from '../mempool/mempool.service.js';
import { MinerService } from '../miner/miner.service.js';
import { syncSchema } from '../peers/peers.controller.js';
import { PeersService } from '../peers/peers.service.js';
import { VERSION } from '../common/version.js';

const statusSchema = z
  .object({
    nodeId: z.string(),
    network: z.string(),
    genesis: hashSchema.meta({ description: 'Names the network: nodes with another one are refused.' }),
    height: z.int().meta({ description: 'Index of the tip.' }),
    length: z.int().meta({ description: 'Blocks of the active chain, the genesis counted.' }),
    tip: hashSchema,
    chainWork: z.string().meta({ description: 'Expected hashes behind the chain, as 64 hex digits.' }),
    difficulty: z.number().meta({ description: 'Leading zero hex digits asked of the tip.' }),
    peers: z.object({ connected: z.int(), known: z.int() }),
    mempool: z.object({ transactions: z.int(), bytes: z.int() }),
    mining: z.object({
      auto: z.boolean().meta({ description: 'Does it mine by itself?' }),
      active: z.boolean().meta({ description: 'Is it hashing now?' }),
      hashRate: z.number().meta({ description: 'Hashes per second, of late.' }),
    }),
    sync: syncSchema,
    version: z.string(),
    uptimeSeconds: z.int(),
  })
  .meta({ id: 'Status' });

type Status = z.infer<typeof statusSchema>;

@ApiTags('operations')
@Controller('status')
export class StatusController {
  readonly #startedMs: number;

  constructor(
    @Inject(NODE_CONFIG) private readonly config: NodeConfig,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly chain: ChainService,
    private readonly mempool: MempoolService,
    private readonly miner: MinerService,
    private readonly peers: PeersService,
  ) {
    this.#startedMs = clock.nowMs();
  }

  @Get()
  @ApiOperation({ summary: 'The node at a glance' })
  @ApiOkResponse({ description: 'Its state', standardSchema: statusSchema })
  getStatus(): Status {
    const { tip, genesis } = this.chain;
    const { connected, known } = this.peers.summary();
    const { auto, active, hashRate } = this.miner.status;
    return {
      nodeId: this.config.node.nodeId,
      network: this.config.network.name,
      genesis: genesis.hash,
      height: tip.height,
      length: tip.height + 1,
      tip: tip.hash,
      chainWork: viewWork(tip.chainWork),
      difficulty: difficultyOf(tip.bits),
      peers: { connected, known },
      mempool: { transactions: this.mempool.size, bytes: this.mempool.bytes },
      mining: { auto, active, hashRate },
      sync: this.peers.syncStatus(),
      version: VERSION,
      uptimeSeconds: Math.floor((this.clock.nowMs() - this.#startedMs) / 1000),
    };
  }
}
