import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { hashSchema } from '../chain/block-view.js';
import { expected } from '../common/http-input.js';
import { MinerService } from './miner.service.js';

const blocksError = expected('a whole number from 1 to 1000');

const requestSchema = z
  .strictObject(
    {
      blocks: z.int({ error: blocksError }).min(1, { error: blocksError }).max(1000, { error: blocksError }).default(1),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? `unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}; only "blocks" is known here`
          : expected('no body, or a JSON object such as {"blocks": 1}')(issue),
    },
  )
  .default({ blocks: 1 });

const minedSchema = z
  .object({ blocks: z.array(z.object({ index: z.int(), hash: hashSchema })) })
  .meta({ id: 'MinedBlocks' });

@ApiTags('mining')
@Controller('mine')
export class MinerController {
  constructor(private readonly miner: MinerService) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    summary: 'Mine now',
    description: 'Mines `blocks` blocks one after the other, empty ones too, and answers when they are found.',
  })
  @ApiBody({ required: false })
  @ApiOkResponse({ description: 'What was mined', standardSchema: minedSchema })
  async mine(
    @Body({ schema: requestSchema }) request: z.infer<typeof requestSchema>,
  ): Promise<z.infer<typeof minedSchema>> {
    const nodes = await this.miner.mine(request.blocks);
    return { blocks: nodes.map(({ height, hash }) => ({ index: height, hash })) };
  }
}
