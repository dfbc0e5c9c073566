import { z } from 'zod';
import { hashSchema } from '../chain/chain-schemas.js';
import { syncSchema } from '../peers/peers-schemas.js';

/** GET /status */
export const statusSchema = z
  .object({
    nodeId: z.string(),
    key: z
      .string()
      .meta({ description: "The node's Ed25519 public key, 64 hex digits: its identity for other nodes." }),
    network: z.string(),
    genesis: hashSchema.meta({ description: 'Names the network: nodes with another genesis are refused.' }),
    height: z.int().meta({ description: 'Height of the tip.' }),
    length: z.int().meta({ description: 'Number of blocks on the active chain, genesis included.' }),
    tip: hashSchema,
    chainWork: z.string().meta({ description: 'Expected number of hashes behind the chain, as 64 hex digits.' }),
    difficulty: z.number().meta({ description: 'Leading zero hex digits that the tip had to have.' }),
    peers: z.object({ connected: z.int(), known: z.int() }),
    mempool: z.object({ transactions: z.int(), bytes: z.int() }),
    mining: z.object({
      auto: z.boolean().meta({ description: 'Does the node mine entries without being asked?' }),
      active: z.boolean().meta({ description: 'Is it hashing now?' }),
      hashRate: z.number().meta({ description: 'Hashes per second over the last seconds of mining.' }),
      maxHashRate: z.number().meta({ description: 'Most hashes per second that it may try; 0 = no limit.' }),
    }),
    sync: syncSchema,
    version: z.string(),
    uptimeSeconds: z.int(),
  })
  .meta({ id: 'Status' });

/** GET /health/live, GET /health/ready */
export const healthSchema = z.object({ status: z.enum(['live', 'ready']) }).meta({ id: 'Health' });

export type Status = z.infer<typeof statusSchema>;
export type Health = z.infer<typeof healthSchema>;
