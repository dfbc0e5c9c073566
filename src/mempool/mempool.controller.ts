import { Body, Controller, Get, HttpCode, Param, Post, Query, type StreamableFile } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { hashText, integerText } from '../common/http-input.js';
import { HttpProblem } from '../common/http-problem.js';
import { Reads, Writes } from '../common/operation.js';
import { answerBytes, answerText, rawContent } from '../common/raw-format.js';
import { answerJson, textWithList, textsOf } from '../common/write-json.js';
import { entrySchema, type EntryInput } from './entry-input.js';
import {
  anyReceiptSchema,
  authorPageSchema,
  mempoolPageSchema,
  transactionFormatQuerySchema,
  transactionStatusSchema,
  type Receipt,
  type Receipts,
  type TransactionStatus,
} from './mempool-schemas.js';
import { MempoolService } from './mempool.service.js';
import { authorText, readArmour } from './signature-input.js';
import { TransactionQueries } from './transaction-queries.js';

const MAX_ENTRIES = 1_000;
const DEFAULT_ENTRIES = 100;

const pageQuerySchema = z.object({
  offset: integerText({ min: 0 }, { description: 'Entries to skip.', default: 0 }).optional(),
  limit: integerText(
    { min: 1, max: MAX_ENTRIES },
    { description: 'Maximum number of entries.', default: DEFAULT_ENTRIES },
  ).optional(),
  author: authorText.optional(),
});

const authorQuerySchema = z.object({
  author: authorText,
  from: integerText({ min: 0 }, { description: 'Height to begin at, downwards; by default the tip.' }).optional(),
  limit: integerText(
    { min: 1, max: MAX_ENTRIES },
    { description: 'Enough entries to end with their block.', default: DEFAULT_ENTRIES },
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
    summary: 'Post an entry, or a list of entries',
    description:
      'The answer comes once all entries are on disk. They are mined later, by any node of the network. An entry that is posted again, with the same data, timestamp and salt, or with the same data and signature, is the same entry with the same id.',
  })
  @ApiAcceptedResponse({ description: 'In the mempool, or in the chain already', standardSchema: anyReceiptSchema })
  async submitEntry(@Body({ schema: entrySchema }) entry: EntryInput): Promise<Receipt | Receipts> {
    const { data, timestamp: timestampMs, salt, signature } = entry;
    if (typeof data === 'string') {
      const { id } =
        signature === undefined
          ? await this.mempool.submit(data, { timestampMs, salt })
          : await this.mempool.submitSigned(data, readArmour(signature, this.queries.genesis));
      return { id, status: this.queries.statusOf([id]) };
    }
    const submitted = await this.mempool.submitAll(data, { timestampMs, salt });
    const ids = submitted.map(({ id }) => id);
    return { ids, status: this.queries.statusOf(ids) };
  }

  @Get('mempool')
  @Reads({ query: pageQuerySchema })
  @ApiOperation({ summary: 'Entries that wait to be mined' })
  @ApiOkResponse({ description: 'Totals, and a page of the entries', standardSchema: mempoolPageSchema })
  getMempool(@Query({ schema: pageQuerySchema }) query: z.infer<typeof pageQuerySchema>): StreamableFile {
    const { offset = 0, limit = DEFAULT_ENTRIES, author } = query;
    const page = this.queries.mempoolPage({ offset, limit, author });
    const { entries, ...head } = page;
    return answerJson(textWithList(head, 'entries', textsOf(entries)));
  }

  @Get('transactions')
  @Reads({ query: authorQuerySchema })
  @ApiOperation({
    summary: 'Entries of the active chain that a key signed',
    description:
      'The newest first. One request reads at most 1,000 blocks and 64 MiB of them, and ends with the block in which `limit` is reached; `next` says where to go on. Those that wait: GET /mempool?author=.',
  })
  @ApiOkResponse({ description: 'The entries', standardSchema: authorPageSchema })
  getEntriesOf(@Query({ schema: authorQuerySchema }) query: z.infer<typeof authorQuerySchema>): StreamableFile {
    const { author, from, limit = DEFAULT_ENTRIES } = query;
    return answerJson(this.queries.textOfEntriesBy({ author, from, limit }));
  }

  @Get('transactions/:id')
  @Reads({ query: transactionFormatQuerySchema })
  @ApiOperation({ summary: 'One transaction: its content, and whether a block holds it' })
  @ApiOkResponse({ description: 'The transaction', standardSchema: transactionStatusSchema })
  @ApiOkResponse(rawContent('The bytes that its id is the hash of; or the SSH signature of a signed entry'))
  getTransaction(
    @Param('id', { schema: hashText('a transaction id') }) id: string,
    @Query({ schema: transactionFormatQuerySchema })
    { format = 'json' }: z.infer<typeof transactionFormatQuerySchema>,
  ): TransactionStatus | StreamableFile {
    if (format === 'json') {
      const status = this.queries.status(id);
      if (status !== undefined) return status;
    } else if (format === 'sig') {
      const armour = this.queries.armour(id);
      if (armour === null) throw new HttpProblem(404, 'entry-not-signed', `entry ${id} is not signed`);
      if (armour !== undefined) return answerText(armour);
    } else {
      const bytes = this.queries.bytes(id);
      if (bytes !== undefined) return answerBytes(bytes, format);
    }
    throw new HttpProblem(
      404,
      'transaction-not-found',
      `no entry ${id} on the active chain or in the mempool; a coinbase is found in its block: GET /blocks/:id`,
    );
  }
}
