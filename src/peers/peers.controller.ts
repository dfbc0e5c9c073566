import { Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { HttpProblem } from '../common/http-problem.js';
import { Reads, Writes } from '../common/operation.js';
import {
  bansSchema,
  liftedBansSchema,
  linkSchema,
  peersSchema,
  syncSchema,
  type BanView,
  type Bans,
  type LiftedBans,
  type PeerLink,
  type Peers,
  type SyncView,
} from './peers-schemas.js';
import { PeersService } from './peers.service.js';
import type { Ban } from './scoring.js';

const nodeIdSchema = z
  .string()
  .meta({ openapi: { type: 'string', description: 'A node id or a key as GET /peers shows it.', example: 'node-2' } });

const subjectSchema = z.string().meta({
  openapi: { type: 'string', description: 'A node id, a key, a host, or a subject as GET /peers/bans shows it.' },
});

@ApiTags('peers')
@Controller()
export class PeersController {
  constructor(private readonly peers: PeersService) {}

  @Get('peers')
  @Reads()
  @ApiOperation({ summary: 'Nodes that this one is connected to or knows of' })
  @ApiOkResponse({ description: 'The peers', standardSchema: peersSchema })
  getPeers(): Peers {
    return { connected: this.peers.summary().connected, peers: this.peers.list() };
  }

  @Post('peers/:id/disconnect')
  @Writes()
  @HttpCode(200)
  @ApiOperation({
    summary: 'End the session with a node, and refuse links with it',
    description:
      'Neither dials the node nor accepts it, until POST /peers/:id/connect or the end of the process. 404 if unknown.',
  })
  @ApiOkResponse({ description: 'The link', standardSchema: linkSchema })
  disconnect(@Param('id', { schema: nodeIdSchema }) id: string): PeerLink {
    this.#linkOf(id);
    this.peers.refuse(id);
    return this.#linkOf(id);
  }

  @Post('peers/:id/connect')
  @Writes()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Allow links with a node again, and dial it at once',
    description: 'A node that cannot be dialled has to dial this one. A ban stays in force. 404 if unknown.',
  })
  @ApiAcceptedResponse({ description: 'The link, before the dial has ended', standardSchema: linkSchema })
  connect(@Param('id', { schema: nodeIdSchema }) id: string): PeerLink {
    const { connected } = this.#linkOf(id);
    this.peers.allow(id);
    // The lab may still refuse it. A node that was known only by its refusal is not known any more.
    return { id, connected, refused: this.peers.linkOf(id)?.refused ?? false };
  }

  @Get('peers/bans')
  @Reads()
  @ApiOperation({ summary: 'Bans for misbehaviour, and when they end' })
  @ApiOkResponse({ description: 'The bans', standardSchema: bansSchema })
  getBans(): Bans {
    return { bans: this.peers.bans().map(viewBan) };
  }

  @Delete('peers/bans/:subject')
  @Writes()
  @ApiOperation({
    summary: 'Lift a ban, and forget the misbehaviour score',
    description: '404 if there is no such ban.',
  })
  @ApiOkResponse({ description: 'The bans that were lifted', standardSchema: liftedBansSchema })
  deleteBan(@Param('subject', { schema: subjectSchema }) subject: string): LiftedBans {
    const lifted = this.peers.pardon(subject);
    if (lifted.length > 0) return { lifted: lifted.map(viewBan) };
    throw new HttpProblem(
      404,
      'not-banned',
      `${JSON.stringify(subject)} is not banned; GET /peers/bans lists all bans`,
    );
  }

  /**
   * A read, although it makes the node ask its peers: it asks them only what each heartbeat makes it ask anyway, and
   * nothing in the request decides what the node then stores.
   */
  @Get('sync')
  @Reads()
  @ApiOperation({ summary: 'Ask the peers for a better chain, and show the progress of the sync' })
  @ApiOkResponse({ description: 'State of the sync', standardSchema: syncSchema })
  getSync(): SyncView {
    return this.#sync();
  }

  /** Does what GET does, but counts as a write: with a write token set, this node answers no POST without it. */
  @Post('sync')
  @HttpCode(202)
  @Writes()
  @ApiOperation({ summary: 'Ask the peers for a better chain, as GET does' })
  @ApiAcceptedResponse({ description: 'State of the sync', standardSchema: syncSchema })
  postSync(): SyncView {
    return this.#sync();
  }

  /** @throws HttpProblem 404 */
  #linkOf(id: string): PeerLink {
    const link = this.peers.linkOf(id);
    if (link !== undefined) return { id, ...link };
    const detail = `this node knows no node ${JSON.stringify(id)}; GET /peers lists those that it knows`;
    throw new HttpProblem(404, 'unknown-peer', detail);
  }

  #sync(): SyncView {
    this.peers.startSync();
    return this.peers.syncStatus();
  }
}

function viewBan({ subject, untilMs, code }: Ban): BanView {
  return { subject, until: new Date(untilMs).toISOString(), code };
}
