import { Readable } from 'node:stream';
import { Controller, Get, Inject, Param, Query, StreamableFile } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { expected, hashText, integerText } from '../common/http-input.js';
import { HttpProblem } from '../common/http-problem.js';
import type { Logger } from '../common/logger.js';
import { LOGGER } from '../common/tokens.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { blockViewSchema, hashSchema, viewBlock, type BlockView } from './block-view.js';
import { ChainService } from './chain.service.js';

const MAX_BLOCKS = 1_000;
const CHUNK_CHARS = 65_536;

const pageQuerySchema = z.object({
  from: integerText(
    { min: 0 },
    { description: 'Height of the first block; without it, the newest blocks are given.' },
  ).optional(),
  limit: integerText({ min: 1, max: MAX_BLOCKS }, { description: 'Blocks at most.', default: 100 }).optional(),
});

const blockIdSchema = z
  .union([integerText({ min: 0 }), hashText('a block hash')], {
    error: expected('a height (a whole number) or a block hash (64 hex digits)'),
  })
  .meta({ openapi: { type: 'string', description: 'A height on the active chain, or the hash of any stored block.' } });

const chainPageSchema = z
  .object({
    length: z.int().meta({ description: 'Blocks of the active chain, the genesis counted.' }),
    tip: hashSchema,
    from: z.int().meta({ description: 'Height of the first block given.' }),
    blocks: z.array(blockViewSchema).meta({ description: 'By ascending height.' }),
  })
  .meta({ id: 'ChainPage' });

@ApiTags('chain')
@Controller()
export class ChainController {
  constructor(
    private readonly chain: ChainService,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  @Get('chain')
  @ApiOperation({
    summary: 'Blocks of the active chain',
    description: 'The newest `limit`, or with `from` those from that height on (none, where it is above the tip).',
  })
  @ApiOkResponse({ description: 'A page of the chain', standardSchema: chainPageSchema })
  getChain(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>): StreamableFile {
    const { tip } = this.chain;
    const limit = query.limit ?? 100;
    const from = query.from ?? Math.max(0, tip.height + 1 - limit);
    const head = { length: tip.height + 1, tip: tip.hash, from };
    // A thousand full blocks are a gigabyte: they are read as they are sent. The nodes are taken now, so that a reorg
    // meanwhile does not mix two chains; blocks that leave the active chain stay stored.
    const nodes = nodesBetween(this.chain, from, Math.min(from + limit - 1, tip.height));
    const stream = Readable.from(chunksOf(this.#pageText(head, nodes)), { objectMode: false });
    // Once the answer has begun, all that is left is to break it off.
    stream.on('error', (error) => this.log.error({ err: error, module: 'chain' }, 'GET /chain broken off'));
    return new StreamableFile(stream, { type: 'application/json; charset=utf-8' });
  }

  @Get('blocks/:id')
  @ApiOperation({ summary: 'One block, by height or hash' })
  @ApiOkResponse({ description: 'The block', standardSchema: blockViewSchema })
  getBlock(@Param('id', { schema: blockIdSchema }) id: z.infer<typeof blockIdSchema>): BlockView {
    const node = typeof id === 'number' ? this.chain.nodeAt(id) : this.chain.node(id);
    const block = node && this.chain.getBlock(node.hash);
    if (node === undefined || block === undefined) {
      const { height } = this.chain.tip;
      const detail = typeof id === 'number' ? `no block at height ${id}, the tip is at ${height}` : `no block ${id}`;
      throw new HttpProblem(404, 'block-not-found', detail);
    }
    return viewBlock(block, node.height, this.chain.isActive(node) ? this.chain.tip.height - node.height + 1 : 0);
  }

  *#pageText(head: object, nodes: readonly BlockNode[]): Generator<string> {
    yield `${JSON.stringify(head).slice(0, -1)},"blocks":[`;
    for (const [position, node] of nodes.entries()) {
      const block = this.chain.getBlock(node.hash);
      if (block === undefined) throw new Error(`block ${node.hash} of the active chain is not stored`);
      yield `${position === 0 ? '' : ','}${JSON.stringify(viewBlock(block, node.height))}`;
    }
    yield ']}';
  }
}

function nodesBetween(chain: ChainService, first: number, last: number): BlockNode[] {
  const nodes: BlockNode[] = [];
  for (let height = first; height <= last; height++) nodes.push(chain.nodeAt(height)!);
  return nodes;
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
