import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { bodyError, expected, hashText, integerText } from '../common/http-input.js';
import { HttpProblem } from '../common/http-problem.js';
import { Reads, Writes } from '../common/operation.js';
import { MAX_DATA_BYTES } from '../consensus/data-entry.js';
import {
  mempoolPageSchema,
  receiptSchema,
  transactionStatusSchema,
  type MempoolPage,
  type Receipt,
  type TransactionStatus,
} from './mempool-schemas.js';
import { MempoolService } from './mempool.service.js';
import { TransactionQueries } from './transaction-queries.js';

const MAX_ENTRIES = 1_000;
const DEFAULT_ENTRIES = 100;

// Length and encoding are for the mempool to judge, by the rules that hold for every transaction.
const entrySchema = z
  .strictObject(
    {
      data: z.string({ error: expected(`a string of 1 to ${MAX_DATA_BYTES} bytes of UTF-8`) }).meta({
        description: `1 to ${MAX_DATA_BYTES} bytes of UTF-8.`,
        minLength: 1,
        maxLength: MAX_DATA_BYTES,
        example: 'Hello, chain',
      }),
    },
    { error: bodyError(['data'], 'a JSON object such as {"data": "Hello"}') },
  )
  .meta({ id: 'Entry' });

const pageQuerySchema = z.object({
  offset: integerText({ min: 0 }, { description: 'Entries to skip.', default: 0 }).optional(),
  limit: integerText(
    { min: 1, max: MAX_ENTRIES },
    { description: 'Maximum number of entries.', default: DEFAULT_ENTRIES },
  ).optional(),
});

@ApiTags('transactions')
@Controller()
export class MempoolController {
  constructor(
    private readonly mempool: MempoolService,
    private readonly queries: TransactionQueries,
  ) {}

  @Post('blocks')
  @HttpCode(202)
  @Writes()
  @ApiOperation({
    summary: 'Post an entry',
    description: 'The answer comes once the entry is on disk. It is mined later, by any node of the network.',
  })
  @ApiAcceptedResponse({ description: 'Taken into the mempool', standardSchema: receiptSchema })
  async submitEntry(@Body({ schema: entrySchema }) entry: z.infer<typeof entrySchema>): Promise<Receipt> {
    const { id } = await this.mempool.submit(entry.data);
    return { id, status: 'pending' };
  }

  @Get('mempool')
  @Reads({ query: pageQuerySchema })
  @ApiOperation({ summary: 'Entries that wait to be mined' })
  @ApiOkResponse({ description: 'Totals, and a page of the entries', standardSchema: mempoolPageSchema })
  getMempool(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>): MempoolPage {
    return this.queries.mempoolPage({ offset: query.offset ?? 0, limit: query.limit ?? DEFAULT_ENTRIES });
  }

  @Get('transactions/:id')
  @Reads()
  @ApiOperation({ summary: 'One transaction: its content, and whether a block holds it' })
  @ApiOkResponse({ description: 'The transaction', standardSchema: transactionStatusSchema })
  getTransaction(@Param('id', { schema: hashText('a transaction id') }) id: string): TransactionStatus {
    const status = this.queries.status(id);
    if (status !== undefined) return status;
    throw new HttpProblem(
      404,
      'transaction-not-found',
      `no entry ${id} on the active chain or in the mempool; a coinbase is found in its block: GET /blocks/:id`,
    );
  }
}
