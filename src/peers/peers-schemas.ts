import { z } from 'zod';
import { hashSchema } from '../chain/chain-schemas.js';

const peerSchema = z
  .object({
    id: z.string().nullable().meta({
      description: 'Node id, a label that two nodes may share; null until this node has had a session with it.',
    }),
    key: z.string().nullable().meta({
      description: 'Ed25519 public key that the node proved, 64 hex digits: its identity. Null as for the id.',
    }),
    address: z.string().meta({ description: 'Empty for a refused node that this one has not seen.' }),
    connected: z.boolean(),
    refused: z.boolean().meta({ description: 'Whether this node refuses links with it: POST /peers/:id/disconnect.' }),
    lastSeen: z.iso.datetime().nullable(),
    direction: z.enum(['inbound', 'outbound']).nullable().meta({ description: 'Who dialled; null without a session.' }),
    latencyMs: z.number().nullable(),
    height: z.int().nullable().meta({ description: 'Height of its tip, as it says; null without a session.' }),
    tip: hashSchema.nullable().meta({ description: 'Hash of its tip, as it says.' }),
    chainWork: z
      .string()
      .nullable()
      .meta({ description: 'Expected number of hashes behind its chain, as it says, as 64 hex digits.' }),
    score: z.number().meta({ description: 'Misbehaviour score; at 100 the peer is banned.' }),
  })
  .meta({ id: 'Peer' });

/** GET /peers */
export const peersSchema = z
  .object({
    connected: z.int().meta({ description: 'Open sessions.' }),
    peers: z.array(peerSchema).meta({ description: 'All known nodes.' }),
  })
  .meta({ id: 'Peers' });

/** POST /peers/:id/disconnect, /peers/:id/connect */
export const linkSchema = z
  .object({
    id: z.string(),
    connected: z.boolean().meta({ description: 'Whether there is a session now.' }),
    refused: z.boolean().meta({ description: 'Whether this node refuses links with it.' }),
  })
  .meta({ id: 'PeerLink' });

const banSchema = z
  .object({
    subject: z.string().meta({ description: '"host:<address>", or "node:<key>" for a node on this machine.' }),
    until: z.iso.datetime(),
    code: z.string().meta({ description: 'The rule that the peer broke.' }),
  })
  .meta({ id: 'Ban' });

/** GET /peers/bans */
export const bansSchema = z
  .object({ bans: z.array(banSchema).meta({ description: 'Bans in force, oldest first.' }) })
  .meta({ id: 'Bans' });

/** DELETE /peers/bans/:subject */
export const liftedBansSchema = z
  .object({ lifted: z.array(banSchema).meta({ description: 'The bans that were lifted.' }) })
  .meta({ id: 'LiftedBans' });

/** GET /sync, POST /sync, and part of GET /status. */
export const syncSchema = z
  .object({
    state: z.enum(['idle', 'headers', 'blocks']),
    progress: z.number().meta({ description: '0 to 1.' }),
    height: z.int(),
    targetHeight: z.int(),
    blocksPerSecond: z.number(),
    etaSeconds: z.number().nullable(),
    peer: z.string().nullable().meta({ description: 'Node id of the peer that the headers come from.' }),
  })
  .meta({ id: 'Sync' });

export type Peers = z.infer<typeof peersSchema>;
export type BanView = z.infer<typeof banSchema>;
export type Bans = z.infer<typeof bansSchema>;
export type LiftedBans = z.infer<typeof liftedBansSchema>;
export type SyncView = z.infer<typeof syncSchema>;
export type PeerLink = z.infer<typeof linkSchema>;
