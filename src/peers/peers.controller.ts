import { Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { PeersService } from './peers.service.js';

const peerSchema = z
  .object({
    id: z.string().nullable().meta({ description: 'Node id; null until we have talked to it.' }),
    address: z.string(),
    connected: z.boolean(),
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

  #sync(): Sync {
    this.peers.startSync();
    return this.peers.syncStatus();
  }
}
