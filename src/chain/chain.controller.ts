import { Controller, Get, Param, Query, type StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { expected, hashText, integerText } from '../common/http-input.js';
import { answerBytes, formatQuerySchema, rawContent } from '../common/raw-format.js';
import { HttpProblem } from '../common/http-problem.js';
import { Reads } from '../common/operation.js';
import { answerJson, textWithList, textsOf } from '../common/write-json.js';
import { ChainQueries } from './chain-queries.js';
import {
  chainPageSchema,
  headerPageSchema,
  networkSchema,
  storedBlockSchema,
  type HeaderPage,
  type NetworkView,
} from './chain-schemas.js';
import { DEFAULT_HEIGHTS, ForkQueries, MAX_HEIGHTS } from './fork-queries.js';
import { forksSchema } from './fork-schemas.js';
import { textOfBlock, textOfPage } from './write-json.js';

const MAX_BLOCKS = 1_000;
const DEFAULT_BLOCKS = 100;
/** As many as one message between nodes may hold. */
const MAX_HEADERS = 2_000;

const fromSchema = integerText(
  { min: 0 },
  { description: 'Height to begin at. Without it, the newest are returned.' },
).optional();

const pageQuerySchema = z.object({
  from: fromSchema,
  limit: integerText(
    { min: 1, max: MAX_BLOCKS },
    { description: 'Maximum number of blocks.', default: DEFAULT_BLOCKS },
  ).optional(),
});

const headersQuerySchema = z.object({
  from: fromSchema,
  limit: integerText(
    { min: 1, max: MAX_HEADERS },
    { description: 'Maximum number of headers.', default: MAX_HEADERS },
  ).optional(),
});

const forksQuerySchema = z.object({
  from: integerText({ min: 0 }, { description: 'The lowest height.' }).optional(),
  to: integerText({ min: 0 }, { description: 'The highest height. Without it, up to the highest block.' }).optional(),
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
    private readonly forkQueries: ForkQueries,
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
    return answerJson(textOfPage(page));
  }

  @Get('forks')
  @Reads({ query: forksQuerySchema })
  @ApiOperation({
    summary: 'The tree of blocks: the active chain, side blocks and orphans',
    description: `The blocks from height \`from\` to height \`to\`, by default those of the newest ${DEFAULT_HEIGHTS} heights. At most ${MAX_HEIGHTS} heights. Stretches of the active chain without forks are summarised.`,
  })
  @ApiOkResponse({ description: 'The tree', standardSchema: forksSchema })
  getForks(@Query({ schema: forksQuerySchema }) query: z.infer<typeof forksQuerySchema>): StreamableFile {
    const { from, to } = this.forkQueries.range(query);
    if (from > to) throw refusedRange(`expected at most "to" (${to}), got ${from}`);
    if (to - from >= MAX_HEIGHTS) {
      throw refusedRange(`expected at most ${MAX_HEIGHTS} heights, got ${to - from + 1} (${from} to ${to})`);
    }
    const { blocks, ...head } = this.forkQueries.forks(from, to);
    return answerJson(textWithList(head, 'blocks', textsOf(blocks)));
  }

  @Get('headers')
  @Reads({ query: headersQuerySchema })
  @ApiOperation({
    summary: 'Headers of the active chain',
    description:
      'The newest `limit` headers, or with `from` those from that height up (none if it is above the tip). SHA-256d of the 80 bytes, byte-reversed, is the hash of the block.',
  })
  @ApiOkResponse({ description: 'A page of the headers', standardSchema: headerPageSchema })
  getHeaders(@Query({ schema: headersQuerySchema }) query: z.infer<typeof headersQuerySchema>): HeaderPage {
    return this.queries.headers({ from: query.from, limit: query.limit ?? MAX_HEADERS });
  }

  @Get('network')
  @Reads()
  @ApiOperation({
    summary: 'The rules of the network, as parameters',
    description: 'Enough to derive the genesis: see "Genesis" in src/consensus/README.md.',
  })
  @ApiOkResponse({ description: 'The parameters', standardSchema: networkSchema })
  getNetwork(): NetworkView {
    return this.queries.network();
  }

  @Get('blocks/:id')
  @Reads({ query: formatQuerySchema })
  @ApiOperation({ summary: 'One block, by height or hash' })
  @ApiOkResponse({ description: 'The block', standardSchema: storedBlockSchema })
  @ApiOkResponse(rawContent('Header, count and transactions, as they are hashed and stored'))
  getBlock(
    @Param('id', { schema: blockIdSchema }) id: z.infer<typeof blockIdSchema>,
    @Query({ schema: formatQuerySchema }) { format = 'json' }: z.infer<typeof formatQuerySchema>,
  ): StreamableFile {
    if (format === 'json') {
      const block = this.queries.block(id);
      if (block !== undefined) return answerJson(textOfBlock(block));
    } else {
      const bytes = this.queries.blockBytes(id);
      if (bytes !== undefined) return answerBytes(bytes, format);
    }
    const detail =
      typeof id === 'number'
        ? `no block at height ${id}: the tip is at height ${this.queries.height}`
        : `this node has no block ${id}`;
    throw new HttpProblem(404, 'block-not-found', detail);
  }
}

function refusedRange(message: string): HttpProblem {
  return new HttpProblem(400, 'invalid-request', `from: ${message}`, {}, { errors: [{ path: 'from', message }] });
}
