import { z } from 'zod';
import { hashSchema } from './chain-schemas.js';

/** A block named by its height and hash. */
export const placeSchema = z.object({ height: z.int(), hash: hashSchema });

/** A block in its place in the tree: in GET /forks, and in events. */
export const treeBlockSchema = z
  .object({
    height: z.int().meta({ description: 'Of an orphan: what its coinbase says.' }),
    hash: hashSchema,
    previousHash: hashSchema,
    status: z.enum(['active', 'side', 'orphan']).meta({
      description:
        '`active`: on the active chain; `side`: stored, on another branch; `orphan`: its parent is unknown, and it waits for it in memory.',
    }),
    miner: z
      .string()
      .nullable()
      .meta({ description: "Node id, from the block's coinbase; null if it is damaged on this node's disk." }),
    entries: z
      .int()
      .nullable()
      .meta({ description: "Number of its entries; null if it is damaged on this node's disk." }),
    receivedMs: z
      .int()
      .meta({ description: "When it arrived here: milliseconds since the epoch, by this node's clock." }),
    chainWork: z
      .string()
      .nullable()
      .meta({ description: 'Expected number of hashes behind it, as 64 hex digits; null for an orphan.' }),
  })
  .meta({ id: 'TreeBlock' });

/** GET /forks */
export const forksSchema = z
  .object({
    tip: placeSchema.meta({ description: 'The end of the active chain.' }),
    from: z.int().meta({ description: 'The lowest height of the answer.' }),
    to: z.int().meta({ description: 'The highest height of the answer.' }),
    runs: z
      .array(
        z.object({
          from: z.int().meta({ description: 'Height of the first block.' }),
          to: z.int().meta({ description: 'Height of the last block.' }),
          count: z.int().meta({ description: 'Number of blocks.' }),
        }),
      )
      .meta({
        description:
          'Stretches of the active chain without any other block beside them, by ascending height; their blocks are left out of `blocks`. GET /chain has them.',
      }),
    blocks: z.array(treeBlockSchema).meta({
      description:
        'All other blocks of these heights: by ascending height, at one height in order of arrival, orphans last.',
    }),
  })
  .meta({ id: 'Forks' });

export type TreeBlock = z.infer<typeof treeBlockSchema>;
export type Forks = z.infer<typeof forksSchema>;
