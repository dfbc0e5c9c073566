import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { bodyError, expected } from '../common/http-input.js';
import { Writes } from '../common/operation.js';
import { minedBlocksSchema, type MinedBlocks } from './miner-schemas.js';
import { MinerService } from './miner.service.js';

const MAX_BLOCKS = 1_000;
const blocksError = expected(`a whole number from 1 to ${MAX_BLOCKS}`);

const requestSchema = z
  .strictObject(
    {
      blocks: z
        .int({ error: blocksError })
        .min(1, { error: blocksError })
        .max(MAX_BLOCKS, { error: blocksError })
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
    description: 'Mines `blocks` blocks one after the other, even without entries, and answers once all are found.',
  })
  @ApiBody({ required: false })
  @ApiOkResponse({ description: 'The mined blocks', standardSchema: minedBlocksSchema })
  async mine(@Body({ schema: requestSchema }) request: z.infer<typeof requestSchema>): Promise<MinedBlocks> {
    const nodes = await this.miner.mine(request.blocks);
    return { blocks: nodes.map(({ height, hash }) => ({ index: height, hash })) };
  }
}
