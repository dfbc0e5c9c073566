import { z } from 'zod';
import { expected } from '../common/http-input.js';
import { blockReferenceSchema, hashSchema, transactionViewSchema } from '../chain/chain-schemas.js';

const statusSchema = z.enum(['pending', 'confirmed']).meta({
  description: '`confirmed`: it was posted before, and is in the chain already; of several entries, all are.',
});

/** POST /blocks with one entry */
export const receiptSchema = z.object({ id: hashSchema, status: statusSchema }).meta({ id: 'Receipt' });

/** POST /blocks with a list */
export const receiptsSchema = z
  .object({ ids: z.array(hashSchema).meta({ description: 'In the order of the list.' }), status: statusSchema })
  .meta({ id: 'Receipts' });

/** POST /blocks */
export const anyReceiptSchema = z.union([receiptSchema, receiptsSchema]);

/** Query of GET /transactions/:id */
export const transactionFormatQuerySchema = z.object({
  format: z
    .enum(['json', 'raw', 'hex', 'sig'], { error: expected('json, raw, hex or sig') })
    .meta({
      description:
        '`raw`: the bytes themselves; `hex`: as hex digits; `sig`: the SSH signature of a signed entry, as `ssh-keygen -Y sign` wrote it.',
      default: 'json',
    })
    .optional(),
});

/** GET /mempool */
export const mempoolPageSchema = z
  .object({
    transactions: z.int().meta({ description: 'Number of entries in the mempool.' }),
    bytes: z.int().meta({ description: 'Their encoded size, summed.' }),
    offset: z.int().meta({ description: 'Entries skipped before this page.' }),
    entries: z.array(transactionViewSchema).meta({
      description:
        'The page, in the order in which blocks take the entries; with `author` only those, and `offset` counts these alone: first those that a reorganisation took out of the chain, then the others as they arrived.',
    }),
  })
  .meta({ id: 'Mempool' });

const confirmedEntrySchema = transactionViewSchema
  .extend({
    block: blockReferenceSchema,
    confirmations: z.int().meta({ description: 'Blocks from the one that holds it to the tip, both counted.' }),
  })
  .meta({ id: 'ConfirmedEntry' });

/** GET /transactions */
export const authorPageSchema = z
  .object({
    author: z.string(),
    from: z.int().meta({ description: 'Height of the highest block that was read.' }),
    entries: z.array(confirmedEntrySchema).meta({ description: 'Of the active chain: the newest block first.' }),
    next: z.int().nullable().meta({ description: 'Give it as `from` to go on; null where the genesis was reached.' }),
  })
  .meta({ id: 'AuthorPage' });

/** GET /transactions/:id */
export const transactionStatusSchema = transactionViewSchema
  .extend({
    status: z.enum(['pending', 'confirmed']),
    block: blockReferenceSchema.nullable().meta({ description: 'The block that holds it; null while pending.' }),
    confirmations: z
      .int()
      .meta({ description: 'Blocks from the one that holds it to the tip, both counted; 0 while pending.' }),
  })
  .meta({ id: 'TransactionStatus' });

export type Receipt = z.infer<typeof receiptSchema>;
export type Receipts = z.infer<typeof receiptsSchema>;
export type ConfirmedEntry = z.infer<typeof confirmedEntrySchema>;
export type AuthorPage = z.infer<typeof authorPageSchema>;
export type MempoolPage = z.infer<typeof mempoolPageSchema>;
export type TransactionStatus = z.infer<typeof transactionStatusSchema>;
