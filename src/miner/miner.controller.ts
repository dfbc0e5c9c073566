import { Body, Controller, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { callerSignal } from '../common/caller-signal.js';
import { bodyError, expected } from '../common/http-input.js';
import { Writes } from '../common/operation.js';
import { minedBlocksSchema, type MinedBlocks } from './miner-schemas.js';
import { MAX_MINE_BLOCKS, MAX_MINE_REQUESTS } from './mine-queue.js';
import { MinerService } from './miner.service.js';

const blocksError = expected(`a whole number from 1 to ${MAX_MINE_BLOCKS}`);

const requestSchema = z
  .strictObject(
    {
      blocks: z
        .int({ error: blocksError })
        .min(1, { error: blocksError })
        .max(MAX_MINE_BLOCKS, { error: blocksError })
        .default(1),
    },
    { error: bodyError(['blocks'], 'no body, or a JSON object such as {"blocks": 1}') },
  )
  .default({ blocks: 1 });

@ApiTags('mining')
@Controller('mine')
export class MinerController {
  constructor(private readonly miner: MinerService) {}

  @Post()
  @HttpCode(200)
  @Writes()
  @ApiOperation({
    summary: 'Mine now',
    description:
      'Mines `blocks` blocks, even without entries, and answers once all are found. Several callers take turns, block by block. ' +
      `If the caller closes the connection, mining for it stops. At most ${MAX_MINE_REQUESTS} callers may wait; above that the answer is 503 with Retry-After.`,
  })
  @ApiBody({ required: false })
  @ApiOkResponse({ description: 'The mined blocks', standardSchema: minedBlocksSchema })
  async mine(
    @Body({ schema: requestSchema }) request: z.infer<typeof requestSchema>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<MinedBlocks> {
    const nodes = await this.miner.mine(request.blocks, callerSignal(reply));
    return { blocks: nodes.map(({ height, hash }) => ({ index: height, hash })) };
  }
}
