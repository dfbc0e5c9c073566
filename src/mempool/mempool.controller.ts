import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { hashSchema, transactionViewSchema, viewTransaction } from '../chain/block-view.js';
import { ChainService } from '../chain/chain.service.js';
import { expected, hashText, integerText } from '../common/http-input.js';
import { HttpProblem } from '../common/http-problem.js';
import { MAX_DATA_BYTES } from '../consensus/data-entry.js';
import { MempoolService } from './mempool.service.js';

const dataError = expected(`a string of 1 to ${MAX_DATA_BYTES} bytes of UTF-8`);

// Length and encoding are the mempool's to judge, by the rules that hold for every transaction.
const entrySchema = z
  .strictObject(
    {
      data: z.string({ error: dataError }).meta({
        description: `1 to ${MAX_DATA_BYTES} bytes of UTF-8.`,
        minLength: 1,
        maxLength: MAX_DATA_BYTES,
        example: 'Hello, chain',
      }),
    },
    {
      error: (issue) =>
        issue.code === 'unrecognized_keys'
          ? `unknown key ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}; an entry has "data" only`
          : expected('a JSON object such as {"data": "Hello"}')(issue),
    },
  )
  .meta({ id: 'Entry' });

const receiptSchema = z.object({ id: hashSchema, status: z.literal('pending') }).meta({ id: 'Receipt' });

const pageQuerySchema = z.object({
  offset: integerText({ min: 0 }, { description: 'Entries to leave out at the start.', default: 0 }).optional(),
  limit: integerText({ min: 1, max: 1_000 }, { description: 'Entries at most.', default: 100 }).optional(),
});

const mempoolSchema = z
  .object({
    transactions: z.int().meta({ description: 'How many there are.' }),
    bytes: z.int().meta({ description: 'What they take encoded, together.' }),
    offset: z.int(),
    entries: z.array(transactionViewSchema).meta({ description: 'A page of them, in order of arrival.' }),
  })
  .meta({ id: 'Mempool' });

const transactionStatusSchema = transactionViewSchema
  .extend({
    status: z.enum(['pending', 'confirmed']),
    block: z.object({ index: z.int(), hash: hashSchema }).nullable().meta({ description: 'null while pending.' }),
    confirmations: z.int().meta({ description: 'Blocks from its own to the tip, both counted; 0 while pending.' }),
  })
  .meta({ id: 'TransactionStatus' });

@ApiTags('transactions')
@Controller()
export class MempoolController {
  constructor(
    private readonly mempool: MempoolService,
    private readonly chain: ChainService,
  ) {}

  @Post('blocks')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Post an entry',
    description: 'When it is answered, the entry is on disk and will be mined; nothing is mined here.',
  })
  @ApiAcceptedResponse({ description: 'Taken into the mempool', standardSchema: receiptSchema })
  async submitEntry(
    @Body({ schema: entrySchema }) entry: z.infer<typeof entrySchema>,
  ): Promise<z.infer<typeof receiptSchema>> {
    const { id } = await this.mempool.submit(entry.data);
    return { id, status: 'pending' };
  }

  @Get('mempool')
  @ApiOperation({ summary: 'Entries that wait to be mined' })
  @ApiOkResponse({ description: 'Totals, and a page of the entries', standardSchema: mempoolSchema })
  getMempool(
    @Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>,
  ): z.infer<typeof mempoolSchema> {
    const { offset = 0, limit = 100 } = query;
    const { size: transactions, bytes } = this.mempool;
    return { transactions, bytes, offset, entries: this.mempool.list(offset, limit).map(viewTransaction) };
  }

  @Get('transactions/:id')
  @ApiOperation({ summary: 'One transaction, and what became of it' })
  @ApiOkResponse({ description: 'The transaction', standardSchema: transactionStatusSchema })
  getTransaction(
    @Param('id', { schema: hashText('a transaction id') }) id: string,
  ): z.infer<typeof transactionStatusSchema> {
    const place = this.chain.findTransaction(id);
    if (place !== undefined) {
      const { height, hash } = place.node;
      const confirmations = this.chain.tip.height - height + 1;
      return {
        ...viewTransaction(place.transaction),
        status: 'confirmed',
        block: { index: height, hash },
        confirmations,
      };
    }
    const waiting = this.mempool.get(id);
    if (waiting !== undefined) {
      return { ...viewTransaction(waiting), status: 'pending', block: null, confirmations: 0 };
    }
    throw new HttpProblem(
      404,
      'transaction-not-found',
      `no entry ${id} on the active chain or in the mempool; a coinbase is found in its block: GET /blocks/:id`,
    );
  }
}
