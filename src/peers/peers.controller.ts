import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { HttpProblem } from '../common/http-problem.js';
import { PeersService } from './peers.service.js';
import type { Ban } from './scoring.js';

const peerSchema = z
  .object({
    id: z.string().nullable().meta({ description: 'Node id; null until we have talked to it.' }),
    address: z.string().meta({ description: 'Empty for a refused node that this one has not seen.' }),
    connected: z.boolean(),
    refused: z.boolean().meta({ description: 'Whether this node refuses links with it: POST /peers/:id/disconnect.' }),
    lastSeen: z.iso.datetime().nullable(),
    direction: z.enum(['inbound', 'outbound']).nullable().meta({ description: 'Who dialled; null without a session.' }),
    latencyMs: z.number().nullable(),
    height: z.int().nullable(),
    score: z.number().meta({ description: 'Misbehaviour; at 100 the peer is banned.' }),
  })
  .meta({ id: 'Peer' });

const peersSchema = z
  .object({
    connected: z.int().meta({ description: 'Open sessions.' }),
    peers: z.array(peerSchema).meta({ description: 'All known nodes.' }),
  })
  .meta({ id: 'Peers' });

const linkSchema = z
  .object({
    id: z.string(),
    connected: z.boolean().meta({ description: 'Whether there is a session now.' }),
    refused: z.boolean().meta({ description: 'Whether this node refuses links with it.' }),
  })
  .meta({ id: 'PeerLink' });

const nodeIdSchema = z
  .string()
  .meta({ openapi: { type: 'string', description: 'A node id as GET /peers gives it.', example: 'node-2' } });

const banSchema = z
  .object({
    subject: z.string().meta({ description: '"host:<address>", or "node:<node id>" of a node on this machine.' }),
    until: z.iso.datetime(),
    code: z.string().meta({ description: 'The rule that was broken.' }),
  })
  .meta({ id: 'Ban' });

const bansSchema = z
  .object({ bans: z.array(banSchema).meta({ description: 'Those in force, the oldest first.' }) })
  .meta({ id: 'Bans' });

const liftedSchema = z
  .object({ lifted: z.array(banSchema).meta({ description: 'Bans that there were.' }) })
  .meta({ id: 'LiftedBans' });

const subjectSchema = z
  .string()
  .meta({ openapi: { type: 'string', description: 'A node id or a host, or a subject as GET /peers/bans gives it.' } });

/** Shape of SyncStatus; /status shows it too. */
export const syncSchema = z
  .object({
    state: z.enum(['idle', 'headers', 'blocks']),
    progress: z.number().meta({ description: '0 to 1.' }),
    height: z.int(),
    targetHeight: z.int(),
    blocksPerSecond: z.number(),
    etaSeconds: z.number().nullable(),
    peer: z.string().nullable().meta({ description: 'Node id of the peer that headers come from.' }),
  })
  .meta({ id: 'Sync' });

type Sync = z.infer<typeof syncSchema>;

@ApiTags('peers')
@Controller()
export class PeersController {
  constructor(private readonly peers: PeersService) {}

  @Get('peers')
  @ApiOperation({ summary: 'Nodes that this one is connected to or knows of' })
  @ApiOkResponse({ description: 'The peers', standardSchema: peersSchema })
  getPeers(): z.infer<typeof peersSchema> {
    return { connected: this.peers.summary().connected, peers: this.peers.list() };
  }

  @Post('peers/:id/disconnect')
  @HttpCode(200)
  @ApiOperation({
    summary: 'End the session with a node, and refuse links with it',
    description:
      'Neither dials the node nor accepts it, until POST /peers/:id/connect or the end of the process. 404 if unknown.',
  })
  @ApiOkResponse({ description: 'The link', standardSchema: linkSchema })
  disconnect(@Param('id', { schema: nodeIdSchema }) id: string): z.infer<typeof linkSchema> {
    this.#linkOf(id);
    this.peers.refuse(id);
    return this.#linkOf(id);
  }

  @Post('peers/:id/connect')
  @HttpCode(202)
  @ApiOperation({
    summary: 'Allow links with a node again, and dial it at once',
    description: 'A node that cannot be dialled has to dial this one. A ban stays in force. 404 if unknown.',
  })
  @ApiAcceptedResponse({ description: 'The link, before the dial has ended', standardSchema: linkSchema })
  connect(@Param('id', { schema: nodeIdSchema }) id: string): z.infer<typeof linkSchema> {
    const link = this.#linkOf(id);
    this.peers.allow(id);
    return { ...link, refused: false };
  }

  @Get('peers/bans')
  @ApiOperation({ summary: 'Who is kept out for breaking the rules, and until when' })
  @ApiOkResponse({ description: 'The bans', standardSchema: bansSchema })
  getBans(): z.infer<typeof bansSchema> {
    return { bans: this.peers.bans().map(viewBan) };
  }

  @Delete('peers/bans/:subject')
  @ApiOperation({ summary: 'Lift a ban, and forget the misbehaviour score', description: '404 where there is none.' })
  @ApiOkResponse({ description: 'What was lifted', standardSchema: liftedSchema })
  deleteBan(@Param('subject', { schema: subjectSchema }) subject: string): z.infer<typeof liftedSchema> {
    const lifted = this.peers.pardon(subject);
    if (lifted.length > 0) return { lifted: lifted.map(viewBan) };
    throw new HttpProblem(
      404,
      'not-banned',
      `no ban of ${JSON.stringify(subject)}; GET /peers/bans lists those there are`,
    );
  }

  @Get('sync')
  @ApiOperation({ summary: 'Ask the peers for a better chain, and see how far that is' })
  @ApiOkResponse({ description: 'State of the sync', standardSchema: syncSchema })
  getSync(): Sync {
    return this.#sync();
  }

  @Post('sync')
  @HttpCode(202)
  @ApiOperation({ summary: 'Ask the peers for a better chain; as GET' })
  @ApiAcceptedResponse({ description: 'State of the sync', standardSchema: syncSchema })
  postSync(): Sync {
    return this.#sync();
  }

  /** @throws HttpProblem 404 */
  #linkOf(id: string): z.infer<typeof linkSchema> {
    const link = this.peers.linkOf(id);
    if (link !== undefined) return { id, ...link };
    const detail = `this node knows no node ${JSON.stringify(id)}; GET /peers lists those that it knows`;
    throw new HttpProblem(404, 'unknown-peer', detail);
  }

  #sync(): Sync {
    this.peers.startSync();
    return this.peers.syncStatus();
  }
}

function viewBan({ subject, untilMs, code }: Ban): z.infer<typeof banSchema> {
  return { subject, until: new Date(untilMs).toISOString(), code };
}
