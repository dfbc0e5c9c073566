import { z } from 'zod';
import { blockReferenceSchema } from '../chain/chain-schemas.js';

/** POST /mine */
export const minedBlocksSchema = z
  .object({ blocks: z.array(blockReferenceSchema).meta({ description: 'By ascending height.' }) })
  .meta({ id: 'MinedBlocks' });

export type MinedBlocks = z.infer<typeof minedBlocksSchema>;
