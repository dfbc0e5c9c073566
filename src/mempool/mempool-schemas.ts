import { z } from 'zod';
import { blockReferenceSchema, hashSchema, transactionViewSchema } from '../chain/chain-schemas.js';

/** POST /blocks */
export const receiptSchema = z.object({ id: hashSchema, status: z.literal('pending') }).meta({ id: 'Receipt' });

/** GET /mempool */
export const mempoolPageSchema = z
  .object({
    transactions: z.int().meta({ description: 'Number of entries in the mempool.' }),
    bytes: z.int().meta({ description: 'Their encoded size, summed.' }),
    offset: z.int().meta({ description: 'Entries skipped before this page.' }),
    entries: z.array(transactionViewSchema).meta({
      description:
        'The page, in the order in which blocks take the entries: first those that a reorganisation took out of the chain, then the others as they arrived.',
    }),
  })
  .meta({ id: 'Mempool' });

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
export type MempoolPage = z.infer<typeof mempoolPageSchema>;
export type TransactionStatus = z.infer<typeof transactionStatusSchema>;
