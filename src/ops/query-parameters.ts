import type { FastifyInstance } from 'fastify';
import { listNames } from '../common/http-input.js';
import { operationOf } from '../common/operation.js';
import { createInvalidRequest } from './validation.js';

/** Refuses (400) query parameters that the route does not know, so that a misspelt one is not taken for its default. */
export function refuseUnknownParameters(instance: FastifyInstance): void {
  instance.addHook('onRequest', (request, _reply, done) => {
    const known = operationOf(request)?.queryParameters ?? 'any';
    if (known === 'any') return done();
    const unknown = Object.keys(request.query as object).filter((name) => !known.includes(name));
    if (unknown.length === 0) return done();
    const choice = known.length === 0 ? 'this route takes no query parameters' : `known here: ${listNames(known)}`;
    done(createInvalidRequest([{ message: `unknown query parameter ${listNames(unknown)}; ${choice}` }]));
  });
}
