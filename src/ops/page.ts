import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Operation } from '../common/operation.js';

/** Where the build puts the page; the same from src/ as from dist/. */
export const PAGE_DIRECTORY = fileURLToPath(new URL('../../dist/explorer/', import.meta.url));
const READ: Operation = {
  effect: 'read',
  queryParameters: 'any',
  isRateLimited: true,
  isUrgent: false,
  isStream: false,
  isGuarded: false,
};
/** The names of these files change with their content. */
const FOR_EVER = { maxAge: '1y', immutable: true } as const;

/**
 * Serves the page of the node at `/`, and its scripts and styles under `/assets/`.
 * @param connectTo origins of other nodes that the page may ask, besides its own.
 */
export function servePage(instance: FastifyInstance, connectTo: readonly string[]): void {
  const policy = contentSecurityPolicy(connectTo);
  instance.register(fastifyStatic, { root: PAGE_DIRECTORY, serve: false, preCompressed: true });
  instance.get('/', { config: { operation: READ } }, (_request, reply) =>
    withSafety(reply).header('Content-Security-Policy', policy).sendFile('index.html', { maxAge: 0 }),
  );
  instance.get<{ Params: { file: string } }>('/assets/:file', { config: { operation: READ } }, (request, reply) =>
    withSafety(reply).sendFile(`assets/${request.params.file}`, FOR_EVER),
  );
}

/** Entries come from strangers: should one ever be taken for markup, it can neither run nor send anything anywhere. */
function contentSecurityPolicy(connectTo: readonly string[]): string {
  // A policy cannot name an IPv6 address; browsers complain about one in the console.
  const others = connectTo.filter((origin) => !origin.includes('['));
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "worker-src 'self'",
    `connect-src ${["'self'", ...others].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function withSafety(reply: FastifyReply): FastifyReply {
  return reply.header('X-Content-Type-Options', 'nosniff').header('Referrer-Policy', 'no-referrer');
}
