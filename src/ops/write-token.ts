import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { HttpProblem } from '../common/http-problem.js';
import { operationOf } from '../common/operation.js';

/** Lets requests that write pass only with `Authorization: Bearer <token>`. */
export function requireWriteToken(instance: FastifyInstance, token: string): void {
  const expectedDigest = digest(token);
  instance.addHook('onRequest', (request, _reply, done) => {
    if (operationOf(request)?.effect !== 'write') return done();
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1];
    // Digests have one length, so the time of the comparison shows neither length nor content of the token.
    if (given !== undefined && timingSafeEqual(digest(given), expectedDigest)) return done();
    const detail =
      given === undefined
        ? 'this node accepts writes only with its write token: send "Authorization: Bearer <token>"'
        : 'the write token in the Authorization header is not the one of this node';
    const challenge =
      given === undefined ? 'Bearer realm="minichain"' : 'Bearer realm="minichain", error="invalid_token"';
    done(new HttpProblem(401, 'unauthorized', detail, { 'WWW-Authenticate': challenge }));
  });
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
