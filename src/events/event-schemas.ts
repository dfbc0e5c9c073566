import { z } from 'zod';
import { hashSchema } from '../chain/chain-schemas.js';
import { placeSchema, treeBlockSchema } from '../chain/fork-schemas.js';
import { SEARCH_ENDS } from '../miner/miner.events.js';
import { syncSchema } from '../peers/peers-schemas.js';

/** Ids that one `entry` event names at the most: a block of 10,000 entries is one event, not 10,000. */
export const MAX_NAMED_IDS = 100;

const workSchema = z.string().meta({ description: 'Expected number of hashes behind it, as 64 hex digits.' });

const tipSchema = placeSchema.extend({ chainWork: workSchema });

/** Every event says when it happened. */
const base = { atMs: z.int().meta({ description: "Milliseconds since the epoch, by this node's clock." }) };

const blockEventSchema = z
  .object({ type: z.literal('block'), ...base, block: treeBlockSchema })
  .meta({ id: 'BlockEvent', description: 'A block came, and is stored, or kept as an orphan.' });

const tipEventSchema = z
  .object({
    type: z.literal('tip'),
    ...base,
    tip: tipSchema,
    previous: placeSchema.meta({ description: 'The tip before.' }),
    connected: z.int().meta({ description: 'Number of blocks that entered the active chain.' }),
    reorg: z
      .object({
        depth: z.int().meta({ description: 'Number of blocks that left the active chain.' }),
        fork: placeSchema.meta({ description: 'The last block that both branches have in common.' }),
        returned: z.int().nullable().meta({
          description:
            'Entries that went back to the mempool; null if that takes longer: `entry` events with `returned` follow.',
        }),
      })
      .nullable()
      .meta({ description: 'Null if no block left the active chain.' }),
    afterSync: z
      .boolean()
      .meta({ description: 'True at the end of a sync: blocks of it that came fast had no events of their own.' }),
  })
  .meta({ id: 'TipEvent', description: 'The active chain has another end.' });

const entryEventSchema = z
  .object({
    type: z.literal('entry'),
    ...base,
    state: z.enum(['pending', 'confirmed', 'returned']).meta({
      description:
        '`pending`: in the mempool; `confirmed`: in a block of the active chain; `returned`: back in the mempool, since a reorganisation took their block out of it.',
    }),
    count: z.int().meta({ description: 'Number of entries.' }),
    ids: z
      .array(hashSchema)
      .max(MAX_NAMED_IDS)
      .meta({ description: `The first ${MAX_NAMED_IDS} of them.` }),
    block: placeSchema.nullable().meta({ description: 'Confirmed: the block that holds them.' }),
    from: z
      .string()
      .nullable()
      .meta({ description: 'Pending: node id of the peer that sent them; null if they were posted here.' }),
  })
  .meta({ id: 'EntryEvent', description: 'Entries that changed together.' });

const peerEventSchema = z
  .object({
    type: z.literal('peer'),
    ...base,
    state: z.enum(['connected', 'disconnected', 'tip']),
    id: z.string().meta({ description: 'Node id.' }),
    tip: tipSchema.nullable().meta({ description: 'Its tip, as it says; null for `disconnected`.' }),
    direction: z.enum(['inbound', 'outbound']).nullable().meta({ description: 'Connected: who dialled.' }),
    address: z.string().nullable().meta({ description: 'Connected: where it can be dialled, if it can.' }),
    reason: z.string().nullable().meta({ description: 'Disconnected: why, for people.' }),
  })
  .meta({ id: 'PeerEvent', description: 'A session began or ended, or a peer showed another tip.' });

const miningEventSchema = z
  .object({
    type: z.literal('mining'),
    ...base,
    state: z.enum(['started', 'found', 'cancelled']),
    parent: placeSchema.meta({ description: 'The block on which this node searches for the next.' }),
    entries: z.int().meta({ description: 'Number of entries in the block.' }),
    reason: z
      .enum(['request', 'own-entries', 'others-entries', 'always', 'tie'])
      .meta({ description: 'Why it searches.' }),
    block: placeSchema.nullable().meta({ description: 'Found: the block.' }),
    end: z
      .enum(SEARCH_ENDS)
      .exclude(['found'])
      .nullable()
      .meta({ description: 'Cancelled: why. `stale`: the tip changed; `refreshed`: it takes in new entries.' }),
  })
  .meta({ id: 'MiningEvent', description: 'A search for a nonce of this node began or ended.' });

const syncEventSchema = syncSchema
  .extend({ type: z.literal('sync'), ...base })
  .meta({ id: 'SyncEvent', description: 'Progress of a sync, four times a second, and its end (`idle`).' });

const labEventSchema = z
  .object({
    type: z.literal('lab'),
    ...base,
    change: z
      .enum(['partition', 'link', 'mining', 'process', 'heal', 'reset', 'end'])
      .meta({ description: '`end`: a fault has ended by itself; `process`: one of the cluster.' }),
    text: z.string().meta({ description: 'What happened, for people. GET /lab shows what holds now.' }),
  })
  .meta({ id: 'LabEvent', description: 'A fault was caused on purpose, or has ended.' });

const resetEventSchema = z
  .object({
    type: z.literal('reset'),
    ...base,
    id: z.string().meta({ description: 'Id of the last event before this one.' }),
  })
  .meta({
    id: 'ResetEvent',
    description: 'This node does not have what came after the last event id that was given: fetch all anew.',
  });

/** The data of one event of GET /events. */
export const feedEventSchema = z
  .discriminatedUnion('type', [
    blockEventSchema,
    tipEventSchema,
    entryEventSchema,
    peerEventSchema,
    miningEventSchema,
    syncEventSchema,
    labEventSchema,
    resetEventSchema,
  ])
  .meta({ id: 'FeedEvent' });

export type FeedEvent = z.infer<typeof feedEventSchema>;
export type TipEvent = z.infer<typeof tipEventSchema>;
export type EntryEvent = z.infer<typeof entryEventSchema>;
export type PeerEvent = z.infer<typeof peerEventSchema>;
export type LabEvent = z.infer<typeof labEventSchema>;
export type MiningEvent = z.infer<typeof miningEventSchema>;
