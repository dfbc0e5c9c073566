import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Reads } from '../common/operation.js';
import { clientOf } from '../config/client-address.js';
import { EventFeed, MAX_STREAMS, MAX_STREAMS_OF_HOST, RING_EVENTS } from './event-feed.js';
import { feedEventSchema } from './event-schemas.js';

const querySchema = z.object({
  lastEventId: z
    .string()
    .optional()
    .meta({ description: 'As the header Last-Event-ID, for a new EventSource, which cannot set headers.' }),
});

const HEADERS = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache, no-transform',
  // nginx would hold events back.
  'X-Accel-Buffering': 'no',
};

@ApiTags('events')
@Controller('events')
export class EventsController {
  constructor(private readonly feed: EventFeed) {}

  @Get()
  @Reads({ query: querySchema, isStream: true })
  @ApiOperation({
    summary: 'What happens on this node, as server-sent events',
    description:
      `Each message has the event's type as \`event\` and the event as JSON in \`data\`. Docs: docs/events.md. ` +
      `The last ${RING_EVENTS} events can be had again; if more were missed, there is one \`reset\`. At most ${MAX_STREAMS} streams, and ${MAX_STREAMS_OF_HOST} of one host; above that the answer is 503 with Retry-After.`,
  })
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Id of the last event that the client has; browsers send it when they connect again.',
    schema: { type: 'string' },
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ description: 'Events, until one side ends the stream', standardSchema: feedEventSchema })
  events(
    @Query({ schema: querySchema }) query: z.infer<typeof querySchema>,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): void {
    const host = clientOf(request.ip);
    this.feed.checkRoom(host);
    const { raw } = reply.hijack();
    // Hooks have set those of CORS and others.
    const given = Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined);
    raw.writeHead(200, { ...Object.fromEntries(given), ...HEADERS });
    if (request.method === 'HEAD') return void raw.end();
    this.feed.open(raw, host, [request.headers['last-event-id']].flat()[0] ?? query.lastEventId);
  }
}
