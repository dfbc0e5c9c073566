import { z } from 'zod';

export const hashSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ id: 'Hash', description: '32 bytes as hex digits, byte-reversed as Bitcoin shows them.' });

export const transactionViewSchema = z
  .object({
    id: hashSchema,
    kind: z.enum(['coinbase', 'data', 'signed']),
    data: z.string().nullable().meta({ description: 'The entry; null for a coinbase.' }),
    timestamp: z.iso
      .datetime()
      .nullable()
      .meta({ description: "The poster's clock, in whole milliseconds; null for a coinbase and a signed entry." }),
    salt: z
      .string()
      .regex(/^([0-9a-f]{2}){0,32}$/)
      .nullable()
      .meta({
        description:
          'Up to 32 bytes as hex digits; null for a coinbase and a signed entry. Kind, timestamp, salt and data are all that the id of a data entry is the hash of.',
      }),
    author: z
      .string()
      .optional()
      .meta({ description: 'Signed entry only: the SHA256 fingerprint of the key, as `ssh-keygen -l` prints it.' }),
    publicKey: z
      .string()
      .optional()
      .meta({ description: 'Signed entry only: the key as a line of OpenSSH, `ssh-ed25519 AAAA...`.' }),
    signatureHex: z
      .string()
      .regex(/^[0-9a-f]{128}$/)
      .optional()
      .meta({
        description:
          'Signed entry only: the 64 bytes of the signature as hex digits. Kind, key, signature and data are all that the id is the hash of. GET /transactions/:id?format=sig gives the SSH signature.',
      }),
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

const headerHexSchema = z
  .string()
  .regex(/^[0-9a-f]{160}$/)
  .meta({ description: 'The 80 bytes of a header as hex digits, in the order in which they are hashed.' });

/** GET /headers */
export const headerPageSchema = z
  .object({
    length: z.int().meta({ description: 'Number of blocks on the active chain, genesis included.' }),
    tip: hashSchema,
    from: z.int().meta({ description: 'Height of the first header of the page.' }),
    headers: z.array(headerHexSchema).meta({ description: 'By ascending height.' }),
  })
  .meta({ id: 'HeaderPage' });

/** GET /network */
export const networkSchema = z
  .object({
    network: z.string().meta({ description: 'Name; the genesis has it as its miner.' }),
    ruleSet: z.int().meta({ description: 'Number of the rules in src/consensus/README.md.' }),
    genesis: hashSchema.meta({ description: 'Hash of block 0, which the fields of this answer determine.' }),
    genesisTime: z.int().meta({ description: 'Time of the genesis, in seconds since the epoch.' }),
    blockVersion: z.int().meta({ description: 'Version of the genesis, and of the blocks that this node mines.' }),
    limitBits: z
      .string()
      .regex(/^[0-9a-f]{8}$/)
      .meta({ description: 'The easiest allowed target in compact form, as eight hex digits.' }),
    difficulty: z.number().meta({ description: 'Leading zero hex digits that `limitBits` requires of a hash.' }),
    retargetInterval: z.int().meta({ description: 'Blocks between retargets; 0 = the difficulty is fixed.' }),
    targetSpacingSeconds: z.int(),
    medianTimeSpan: z.int().meta({ description: 'Number of headers in the median time past.' }),
    maxFutureSeconds: z.int().meta({ description: "How far a header's time may be ahead of a node's clock." }),
    maxBlockBytes: z.int(),
    maxBlockTransactions: z.int(),
    maxDataBytes: z.int().meta({ description: 'Of one entry, as UTF-8.' }),
    maxSaltBytes: z.int(),
    maxTimestamp: z.iso.datetime().meta({ description: 'The latest timestamp of an entry.' }),
    checkpoints: z
      .array(z.object({ index: z.int().meta({ description: 'Height.' }), hash: hashSchema }))
      .meta({ description: 'Local policy of this node: hashes that its active chain must have.' }),
    maxReorgDepth: z
      .int()
      .nullable()
      .meta({ description: 'Local policy of this node: the deepest reorganisation it makes; null = any.' }),
  })
  .meta({ id: 'Network' });

/** A block named by its place in the chain. */
export const blockReferenceSchema = z.object({ index: z.int().meta({ description: 'Height.' }), hash: hashSchema });

/** A transaction as REST shows it. */
export type TransactionView = z.infer<typeof transactionViewSchema>;
/** A block as REST shows it in a list. */
export type BlockView = z.infer<typeof blockViewSchema>;
export type StoredBlock = z.infer<typeof storedBlockSchema>;
export type ChainPage = z.infer<typeof chainPageSchema>;
export type HeaderPage = z.infer<typeof headerPageSchema>;
export type NetworkView = z.infer<typeof networkSchema>;
