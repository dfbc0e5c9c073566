import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from '../common/http-problem.js';

const READING_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Lets requests that write (all but GET, HEAD, OPTIONS) pass only with `Authorization: Bearer <token>`. */
export function requireWriteToken(instance: FastifyInstance, token: string): void {
  const expectedDigest = digest(token);
  instance.addHook('onRequest', (request, _reply, done) => {
    if (READING_METHODS.has(request.method) || request.is404) return done();
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    // Digests have one length, so that neither length nor content of the token shows in the time.
    if (given !== undefined && timingSafeEqual(digest(given), expectedDigest)) return done();
    const detail =
      given === undefined
        ? 'this node takes writes only with its write token: send "Authorization: Bearer <token>"'
        : 'the write token is wrong';
    const challenge =
      given === undefined ? 'Bearer realm="minichain"' : 'Bearer realm="minichain", error="invalid_token"';
    done(new HttpProblem(401, 'unauthorized', detail, { 'WWW-Authenticate': challenge }));
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
