import type { FastifyInstance, FastifyRequest } from 'fastify';
import { HttpProblem } from '../common/http-problem.js';
import { operationOf } from '../common/operation.js';

/**
 * Refuses (403) writes that a browser sends for a page of another origin than the node's own and these: because any
 * Content-Type is taken for JSON, a form on any page on the internet could otherwise post to a node on the reader's own
 * machine. Browsers say where a request comes from in Sec-Fetch-Site or Origin; what sends neither is no browser.
 */
export function refuseOtherOrigins(instance: FastifyInstance, trustedOrigins: readonly string[]): void {
  instance.addHook('onRequest', (request, _reply, done) => {
    if (operationOf(request)?.effect !== 'write' || isTrusted(request, trustedOrigins)) return done();
    const detail =
      'a page of another origin must not write to this node; to allow it, add its origin to http.cors_origins in the configuration';
    done(new HttpProblem(403, 'cross-origin', detail));
  });
}

/**
 * Refuses guarded writes of a page whose origin is neither the node's own nor in this list (403), or that are not JSON (415):
 * a form or a beacon cannot send JSON without asking first. `http.cors_origins` does not open them.
 */
export function guardAgainstPages(instance: FastifyInstance, trustedOrigins: readonly string[]): void {
  instance.addHook('onRequest', (request, _reply, done) => {
    if (operationOf(request)?.isGuarded !== true || request.headers.origin === undefined) return done();
    if (!isTrusted(request, trustedOrigins)) {
      const detail = `a page of ${JSON.stringify(request.headers.origin)} must not do this; lab.nodes in the configuration lists the nodes whose pages may`;
      return done(new HttpProblem(403, 'cross-origin', detail));
    }
    const type = request.headers['content-type'];
    if (type === undefined || /^application\/json *(;|$)/i.test(type)) return done();
    const detail = `a page has to send this as application/json, not as ${JSON.stringify(type)}`;
    done(new HttpProblem(415, 'not-json', detail));
  });
}

function isTrusted({ headers }: FastifyRequest, trustedOrigins: readonly string[]): boolean {
  const { origin, host } = headers;
  if (origin !== undefined && trustedOrigins.includes(origin)) return true;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin' || site === 'none';
  return origin === undefined || (URL.parse(origin)?.host ?? '') === host?.toLowerCase();
}
