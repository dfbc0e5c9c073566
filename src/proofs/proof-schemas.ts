import { z } from 'zod';
import { blockReferenceSchema, hashSchema, networkSchema } from '../chain/chain-schemas.js';
import { expected, hashText } from '../common/http-input.js';
import { JSON_PROOF_VERSION } from './offline/json-proof.js';

/** The query of GET /transactions/:id/proof. */
export const proofQuerySchema = z
  .object({
    format: z
      .enum(['json', 'ots', 'merkleblock'], { error: expected('json, ots or merkleblock') })
      .meta({
        description:
          '`json`: with headers, complete in itself. `ots`: an OpenTimestamps file. `merkleblock`: as hex digits, as gettxoutproof of Bitcoin Core gives it.',
        default: 'json',
      })
      .optional(),
    headers: z
      .enum(['all', 'checkpoint', 'block'], { error: expected('all, checkpoint or block') })
      .meta({
        description:
          'Of `json`: where the headers begin. `all`: after the genesis. `checkpoint`: after the highest checkpoint of this node below the block; without one, after the genesis. `block`: with that of the block itself.',
        default: 'all',
      })
      .optional(),
    stamped: z
      .enum(['entry', 'file'], { error: expected('entry or file') })
      .meta({
        description: 'Of `ots`: what the stamped file is. `file`: the one whose SHA-256 is the salt of the entry.',
        default: 'entry',
      })
      .optional(),
    block: hashText('the hash of the block that the entry was in')
      .meta({
        openapi: {
          type: 'string',
          pattern: '^[0-9a-fA-F]{64}$',
          description: 'The block of an older proof: 409 `block-undone` unless the entry is in this block still.',
        },
      })
      .optional(),
  })
  .superRefine(({ format = 'json', headers, stamped }, context) => {
    const without = (name: 'headers' | 'stamped', form: string): void => {
      context.addIssue({
        code: 'custom',
        path: [name],
        message: `only with format=${form}, not with format=${format}`,
      });
    };
    if (headers !== undefined && format !== 'json') without('headers', 'json');
    if (stamped !== undefined && format !== 'ots') without('stamped', 'ots');
  });

export type ProofQuery = z.infer<typeof proofQuerySchema>;

const placeSchema = z.object({ height: z.int(), hash: hashSchema });

const proofNetworkSchema = networkSchema.pick({
  ruleSet: true,
  network: true,
  limitBits: true,
  retargetInterval: true,
  targetSpacingSeconds: true,
  medianTimeSpan: true,
  maxFutureSeconds: true,
  maxBlockBytes: true,
  genesis: true,
});

/** GET /transactions/:id/proof */
export const jsonProofSchema = z
  .object({
    proof: z.literal('minichain'),
    version: z.literal(JSON_PROOF_VERSION),
    network: proofNetworkSchema,
    id: hashSchema,
    transaction: z.string().meta({ description: 'The bytes that `id` is the hash of, as hex digits.' }),
    block_height: z.int(),
    block_hash: hashSchema,
    merkle: z.array(hashSchema).meta({ description: 'Siblings from the leaf up.' }),
    pos: z.int().meta({ description: 'Place of the transaction in its block, from 0.' }),
    anchor: placeSchema.meta({ description: 'The block that the first header follows.' }),
    tip: placeSchema.meta({ description: 'The block of the last header.' }),
    headers: z
      .array(z.string())
      .meta({ description: 'From the one after `anchor` to that of `tip`, 80 bytes each as hex digits.' }),
  })
  .meta({ id: 'Proof' });

/** What a refusal says of where the entry is now. */
export interface EntryPlace {
  readonly status: 'confirmed' | 'pending' | 'undone';
  readonly block: z.infer<typeof blockReferenceSchema> | null;
}
