import { z } from 'zod';

export const hashSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ id: 'Hash', description: '32 bytes as hex digits, byte-reversed as Bitcoin shows them.' });

export const transactionViewSchema = z
  .object({
    id: hashSchema,
    kind: z.enum(['coinbase', 'data']),
    data: z.string().nullable().meta({ description: 'The entry; null for a coinbase.' }),
    timestamp: z.iso.datetime().nullable().meta({ description: "The poster's clock; null for a coinbase." }),
    height: z.int().optional().meta({ description: 'Coinbase only: the height that it names.' }),
    miner: z.string().optional().meta({ description: 'Coinbase only: node id of the miner.' }),
    extraNonce: z.string().optional().meta({ description: 'Coinbase only: a number up to 2^64 - 1, in decimal.' }),
  })
  .meta({ id: 'Transaction' });

export const blockViewSchema = z
  .object({
    index: z.int().meta({ description: 'Height; the genesis has 0.' }),
    hash: hashSchema,
    previousHash: hashSchema,
    merkleRoot: hashSchema,
    version: z.int(),
    time: z.int().meta({ description: 'Seconds since the epoch.' }),
    timestamp: z.iso.datetime().meta({ description: '`time` for people.' }),
    bits: z
      .string()
      .regex(/^[0-9a-f]{8}$/)
      .meta({ description: 'The target in compact form, as eight hex digits.' }),
    difficulty: z.number().meta({ description: 'Leading zero hex digits that `bits` requires of the hash.' }),
    nonce: z.int(),
    miner: z.string().meta({ description: "Node id, from the block's coinbase." }),
    size: z.int().meta({ description: 'Bytes of the whole block.' }),
    transactions: z.array(transactionViewSchema).meta({ description: 'The coinbase first.' }),
  })
  .meta({ id: 'Block' });

/** GET /blocks/:id */
export const storedBlockSchema = blockViewSchema
  .extend({
    confirmations: z
      .int()
      .meta({ description: 'Blocks from this one to the tip, both counted; 0 for a block off the active chain.' }),
  })
  .meta({ id: 'StoredBlock' });

/** GET /chain */
export const chainPageSchema = z
  .object({
    length: z.int().meta({ description: 'Number of blocks on the active chain, genesis included.' }),
    tip: hashSchema,
    from: z.int().meta({ description: 'Height of the first block of the page.' }),
    blocks: z.array(blockViewSchema).meta({ description: 'By ascending height.' }),
  })
  .meta({ id: 'ChainPage' });

/** A block named by its place in the chain. */
export const blockReferenceSchema = z.object({ index: z.int().meta({ description: 'Height.' }), hash: hashSchema });

/** A transaction as REST shows it. */
export type TransactionView = z.infer<typeof transactionViewSchema>;
/** A block as REST shows it in a list. */
export type BlockView = z.infer<typeof blockViewSchema>;
export type StoredBlock = z.infer<typeof storedBlockSchema>;
export type ChainPage = z.infer<typeof chainPageSchema>;
