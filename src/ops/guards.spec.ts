import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Operation } from '../common/operation.js';
import { refuseOtherOrigins } from './cross-origin.js';
import { refuseUnknownParameters } from './query-parameters.js';
import { limitRate } from './rate-limit.js';
import { requireWriteToken } from './write-token.js';

const READ: Operation = {
  effect: 'read',
  queryParameters: [],
  isRateLimited: true,
  isUrgent: false,
  isStream: false,
  isGuarded: false,
};
const WRITE: Operation = { ...READ, effect: 'write' };

let server: FastifyInstance;

afterEach(() => server.close());

/** A server with one guard, whose routes have verbs that say the opposite of what they do. */
function serve(guard: (instance: FastifyInstance) => void): FastifyInstance {
  server = fastify();
  server.setErrorHandler((error: { status: number }, _request, reply) => reply.status(error.status).send());
  guard(server);
  server.get('/write', { config: { operation: WRITE } }, () => 'done');
  server.post('/read', { config: { operation: READ } }, () => 'done');
  server.get('/undeclared', () => 'done');
  return server;
}

async function statuses(headers: Record<string, string> = {}): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (const [method, url] of [
    ['GET', '/write'],
    ['HEAD', '/write'],
    ['POST', '/read'],
    ['GET', '/undeclared'],
    ['GET', '/nowhere'],
  ] as const) {
    seen[`${method} ${url}`] = (await server.inject({ method, url, headers })).statusCode;
  }
  return seen;
}

function refused(status: number): Record<string, number> {
  return { 'GET /write': status, 'HEAD /write': status, 'POST /read': 200, 'GET /undeclared': status };
}

describe('guards go by the operation, not by the verb:', () => {
  it('the write token is required for writes, and where nothing is declared', async () => {
    serve((instance) => requireWriteToken(instance, 'token'));
    expect(await statuses()).toEqual({ ...refused(401), 'GET /nowhere': 404 });
    expect(await statuses({ authorization: 'Bearer token' })).toEqual({ ...refused(200), 'GET /nowhere': 404 });
  });

  it.each([
    [{}, 200],
    [{ origin: 'https://node.example', host: 'node.example' }, 200],
    [{ origin: 'https://app.example' }, 200],
    [{ origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }, 200],
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ 'sec-fetch-site': 'none' }, 200],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ origin: 'https://node.example', host: 'node.example', 'sec-fetch-site': 'cross-site' }, 403],
    [{ origin: 'https://evil.example' }, 403],
    [{ origin: 'https://app.example.evil.example' }, 403],
    [{ origin: 'https://node.example:8443', host: 'node.example' }, 403],
    [{ origin: 'null', host: 'node.example' }, 403],
    [{ origin: 'null', host: '' }, 403],
    [{ origin: '', host: 'node.example' }, 403],
  ])('a write with %j is answered with %i', async (headers, status) => {
    serve((instance) => refuseOtherOrigins(instance, ['https://app.example']));
    expect(await statuses(headers as Record<string, string>)).toEqual({ ...refused(status), 'GET /nowhere': 404 });
  });

  it('unknown query parameters are refused wherever none are declared', async () => {
    serve(refuseUnknownParameters);
    const ask = async (method: 'GET' | 'POST', url: string) => (await server.inject({ method, url })).statusCode;
    expect([await ask('POST', '/read?a'), await ask('GET', '/write?a=1'), await ask('GET', '/undeclared?a')]).toEqual([
      400, 400, 400,
    ]);
    expect([await ask('POST', '/read?'), await ask('GET', '/nowhere?a=1')]).toEqual([200, 404]);
  });

  it('the rate limit counts what is not declared as free of it', async () => {
    serve((instance) => {
      limitRate(instance, 1, new VirtualClock());
      instance.get('/free', { config: { operation: { ...READ, isRateLimited: false } } }, () => 'done');
    });
    const ask = async (url: string, remoteAddress: string) => (await server.inject({ url, remoteAddress })).statusCode;
    expect([await ask('/free', '10.0.0.1'), await ask('/free', '10.0.0.1')]).toEqual([200, 200]);
    expect([await ask('/undeclared', '10.0.0.1'), await ask('/undeclared', '10.0.0.1')]).toEqual([200, 429]);
    expect([await ask('/nowhere', '10.0.0.2'), await ask('/nowhere', '10.0.0.2')]).toEqual([404, 429]);
  });
});
