import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { expected, hashText, integerText } from '../common/http-input.js';
import { HttpProblem } from '../common/http-problem.js';
import type { Logger } from '../common/logger.js';
import { Reads } from '../common/operation.js';
import { LOGGER } from '../common/tokens.js';
import { ChainQueries, type LazyChainPage } from './chain-queries.js';
import { chainPageSchema, storedBlockSchema, type StoredBlock } from './chain-schemas.js';

const MAX_BLOCKS = 1_000;
const DEFAULT_BLOCKS = 100;
const CHUNK_CHARS = 65_536;

const pageQuerySchema = z.object({
  from: integerText(
    { min: 0 },
    { description: 'Height of the first block. Without it, the newest blocks are returned.' },
  ).optional(),
  limit: integerText(
    { min: 1, max: MAX_BLOCKS },
    { description: 'Maximum number of blocks.', default: DEFAULT_BLOCKS },
  ).optional(),
});

const blockIdSchema = z
  .union([integerText({ min: 0 }), hashText('a block hash')], {
    error: expected('a height (a whole number) or a block hash (64 hex digits)'),
  })
  .meta({ openapi: { type: 'string', description: 'A height on the active chain, or the hash of any stored block.' } });

@ApiTags('chain')
@Controller()
export class ChainController {
  constructor(
    private readonly queries: ChainQueries,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Get('chain')
  @Reads({ query: pageQuerySchema })
  @ApiOperation({
    summary: 'Blocks of the active chain',
    description: 'The newest `limit` blocks, or with `from` those from that height up (none if it is above the tip).',
  })
  @ApiOkResponse({ description: 'A page of the chain', standardSchema: chainPageSchema })
  getChain(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>): StreamableFile {
    const page = this.queries.page({ from: query.from, limit: query.limit ?? DEFAULT_BLOCKS });
    const stream = Readable.from(chunksOf(textOf(page)), { objectMode: false });
    // The status was sent with the first chunk, so all that is left is to break the answer off.
    stream.on('error', (error) => this.log.error({ err: error, module: 'chain' }, 'GET /chain broken off'));
    return new StreamableFile(stream, { type: 'application/json; charset=utf-8' });
  }

  @Get('blocks/:id')
  @Reads()
  @ApiOperation({ summary: 'One block, by height or hash' })
  @ApiOkResponse({ description: 'The block', standardSchema: storedBlockSchema })
  getBlock(@Param('id', { schema: blockIdSchema }) id: z.infer<typeof blockIdSchema>): StoredBlock {
    const block = this.queries.block(id);
    if (block !== undefined) return block;
    const detail =
      typeof id === 'number'
        ? `no block at height ${id}: the tip is at height ${this.queries.height}`
        : `this node has no block ${id}`;
    throw new HttpProblem(404, 'block-not-found', detail);
  }
}

/** The page as JSON, one piece for each block. */
function* textOf({ blocks, ...head }: LazyChainPage): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"blocks":[`;
  let separator = '';
  for (const block of blocks) {
    yield separator + JSON.stringify(block);
    separator = ',';
  }
  yield ']}';
}

/** Joins small pieces, so that not each of them costs a write. */
function* chunksOf(pieces: Iterable<string>): Generator<Buffer> {
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (chunk.length < CHUNK_CHARS) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  yield Buffer.from(chunk);
}
