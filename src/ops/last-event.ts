import type { FastifyInstance } from 'fastify';
import { operationOf } from '../common/operation.js';
import type { EventFeed } from '../events/event-feed.js';

export const LAST_EVENT_HEADER = 'X-Event-Id';

/** How the OpenAPI document describes the header. */
export const LAST_EVENT_DOC = {
  description: 'Id of the newest event of GET /events when the request came: the answer is at least as new.',
  schema: { type: 'string' },
};

/**
 * Every answer to a read says which event of GET /events came last when its request arrived. A client that listens first
 * and then reads can so drop the events that the answer has in it. A header, because it fits all forms of answers, also
 * raw bytes and lists that are written while they are read.
 */
export function showLastEvent(instance: FastifyInstance, feed: Pick<EventFeed, 'lastId'>): void {
  instance.addHook('onRequest', (request, reply, done) => {
    if (operationOf(request)?.effect === 'read') void reply.header(LAST_EVENT_HEADER, feed.lastId);
    done();
  });
}
