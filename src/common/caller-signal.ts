import type { FastifyReply } from 'fastify';

/**
 * Aborted when the caller's connection closes before it has its answer, so that the work for it can end. (Fastify's
 * `request.signal` is aborted as soon as the body is read.)
 */
export function callerSignal({ raw }: FastifyReply): AbortSignal {
  const controller = new AbortController();
  if (raw.destroyed) controller.abort();
  else raw.once('close', () => controller.abort());
  return controller.signal;
}
