import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import { chainPageSchema, headerPageSchema, networkSchema, storedBlockSchema } from '../../src/chain/chain-schemas.js';
import { forksSchema } from '../../src/chain/fork-schemas.js';
import { MinichainClient, type AnswerOf, type Route } from '../../src/client/client.js';
import type { BodyOf, QueryOf } from '../../src/client/routes.js';
import { feedEventSchema } from '../../src/events/event-schemas.js';
import { labSchema } from '../../src/lab/lab-schemas.js';
import {
  anyReceiptSchema,
  authorPageSchema,
  mempoolPageSchema,
  transactionStatusSchema,
} from '../../src/mempool/mempool-schemas.js';
import { minedBlocksSchema } from '../../src/miner/miner-schemas.js';
import { toOpenApiSchema } from '../../src/ops/openapi.js';
import { healthSchema, statusSchema } from '../../src/ops/status-schemas.js';
import { bansSchema, liftedBansSchema, linkSchema, peersSchema, syncSchema } from '../../src/peers/peers-schemas.js';
import { jsonProofSchema } from '../../src/proofs/proof-schemas.js';
import { startRestApp, type Answer, type RestApp } from '../support/rest-app.js';

/** What each route of the client answers. That this is what its types say, the compiler checks below. */
const ANSWERS = {
  'GET /status': statusSchema,
  'GET /health/live': healthSchema,
  'GET /health/ready': healthSchema,
  'GET /network': networkSchema,
  'GET /chain': chainPageSchema,
  'GET /headers': headerPageSchema,
  'GET /forks': forksSchema,
  'GET /blocks/:id': storedBlockSchema,
  'POST /blocks': anyReceiptSchema,
  'GET /transactions': authorPageSchema,
  'GET /transactions/:id': transactionStatusSchema,
  'GET /transactions/:id/proof': jsonProofSchema,
  'GET /mempool': mempoolPageSchema,
  'POST /mine': minedBlocksSchema,
  'GET /peers': peersSchema,
  'POST /peers/:id/disconnect': linkSchema,
  'POST /peers/:id/connect': linkSchema,
  'GET /peers/bans': bansSchema,
  'DELETE /peers/bans/:subject': liftedBansSchema,
  'GET /sync': syncSchema,
  'POST /sync': syncSchema,
  'GET /lab': labSchema,
  'POST /lab/partition': labSchema,
  'POST /lab/links/:id': labSchema,
  'DELETE /lab/links/:id': labSchema,
  'POST /lab/mining': labSchema,
  'POST /lab/nodes/:id/:verb': labSchema,
  'POST /lab/heal': labSchema,
  'POST /lab/reset': labSchema,
} as const satisfies Record<Route, z.ZodType>;

/** The query parameters of each route that has any. */
const QUERIES = {
  'GET /chain': ['from', 'limit'],
  'GET /headers': ['from', 'limit'],
  'GET /forks': ['from', 'to'],
  'GET /transactions': ['author', 'from', 'limit'],
  'GET /transactions/:id/proof': ['headers', 'block'],
  'GET /mempool': ['offset', 'limit', 'author'],
} as const;

/** The fields of each body. */
const BODIES = {
  'POST /blocks': ['data', 'timestamp', 'salt', 'signature'],
  'POST /mine': ['blocks'],
  'POST /lab/partition': ['groups', 'seconds'],
  'POST /lab/links/:id': ['cut', 'delayMs', 'jitterMs', 'seconds'],
  'POST /lab/mining': ['mode', 'hashRate'],
  'POST /lab/nodes/:id/:verb': ['seconds'],
} as const;

/** Parameters that methods of their own give. */
const OF_METHODS: Record<string, readonly string[]> = {
  'GET /blocks/:id': ['format'],
  'GET /transactions/:id': ['format'],
  'GET /transactions/:id/proof': ['format', 'stamped'],
  'GET /events': ['lastEventId'],
};

/** Routes that `ask` does not have, with the reason. */
const LEFT_OUT = { 'GET /events': 'the method events reads it', 'GET /metrics': 'text for Prometheus' };

type Named<T> = { [R in keyof T]: T[R] extends readonly (infer Name)[] ? Name : never };
type Frozen<T> = T extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;
type WithQuery = { [R in Route]: keyof QueryOf<R> extends never ? never : R }[Route];
type WithBody = { [R in Route]: BodyOf<R> extends undefined ? never : R }[Route];

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly content: Record<string, { readonly schema: object }> }>;
}

let rest: RestApp;
let document: Answer['json'];
let operations: Map<string, Operation>;

beforeAll(async () => {
  rest = await startRestApp({ MINICHAIN_LAB_ENABLED: 'true' });
  ({ json: document } = await rest.get('/docs-json'));
  operations = new Map(
    Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]): [string, Operation] => [
        `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
        operation,
      ]),
    ),
  );
});

afterAll(() => rest.close());

/** With what its references name in their places. Nest writes a constant as the one value that there is. */
function whole(schema: unknown, components: Record<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((item) => whole(item, components));
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema) return whole(components[String(schema.$ref).replace(/^.*\//, '')], components);
  const { id: _, ...fields } = schema as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) =>
      key === 'const' ? ['enum', [value]] : [key, whole(value, components)],
    ),
  );
}

function schemaOf(content: Record<string, { readonly schema: object }>): unknown {
  return whole(content['application/json']!.schema, document.components.schemas);
}

describe('the routes of the client', () => {
  it('are those of the OpenAPI document, except for those with a reason', () => {
    expect([...Object.keys(ANSWERS), ...Object.keys(LEFT_OUT)].sort()).toEqual([...operations.keys()].sort());
  });

  it('take the query parameters of the document', () => {
    expectTypeOf<Named<typeof QUERIES>>().toEqualTypeOf<{ readonly [R in WithQuery]: keyof QueryOf<R> }>();
    for (const [route, { parameters }] of operations) {
      const named = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      const own = [...((QUERIES as Record<string, readonly string[]>)[route] ?? []), ...(OF_METHODS[route] ?? [])];
      expect([route, named.sort()]).toEqual([route, own.sort()]);
    }
  });

  it('take the fields of the bodies of the document', () => {
    type FieldsOf<T> = T extends unknown ? keyof T : never;
    expectTypeOf<Named<typeof BODIES>>().toEqualTypeOf<{
      readonly [R in WithBody]: FieldsOf<NonNullable<BodyOf<R>>>;
    }>();
    for (const [route, { requestBody }] of operations) {
      const { properties = {} } = (requestBody ? schemaOf(requestBody.content) : {}) as { properties?: object };
      const own = (BODIES as Record<string, readonly string[]>)[route] ?? [];
      expect([route, Object.keys(properties).sort()]).toEqual([route, [...own].sort()]);
    }
  });

  it('answer what the document says, field by field', () => {
    type Answers = { readonly [R in Route]: Frozen<AnswerOf<R>> };
    expectTypeOf<{
      readonly [R in Route]: Frozen<z.infer<(typeof ANSWERS)[R]>>;
    }>().toEqualTypeOf<Answers>();
    for (const [route, answer] of Object.entries<z.ZodType>(ANSWERS)) {
      const { responses } = operations.get(route)!;
      const [success = ''] = Object.keys(responses);
      const { schema, components } = toOpenApiSchema(answer, 'output');
      expect([route, schemaOf(responses[success]!.content)]).toEqual([route, whole(schema, components)]);
    }
  });

  it('and events are those of the document', () => {
    const { schema, components } = toOpenApiSchema(feedEventSchema, 'output');
    const { content } = operations.get('GET /events')!.responses['200']!;
    expect(whole(Object.values(content)[0]!.schema, document.components.schemas)).toEqual(whole(schema, components));
  });
});

type Method = Exclude<keyof MinichainClient, 'url' | 'ask'>;

const ID = 'ab'.repeat(32);

function giveUp(): never {
  throw new Error('once is enough');
}

/** Each method with every argument that changes its request. */
const CALLS: { readonly [M in Method]: (client: MinichainClient) => unknown } = {
  status: (client) => client.status(),
  network: (client) => client.network(),
  chain: (client) => client.chain({ from: 0, limit: 1 }),
  headers: (client) => client.headers({ from: 0, limit: 1 }),
  allHeaders: (client) => client.allHeaders(),
  forks: (client) => client.forks({ from: 0, to: 1 }),
  block: (client) => client.block(ID),
  blockBytes: (client) => client.blockBytes(12),
  transaction: (client) => client.transaction(ID),
  transactionBytes: (client) => client.transactionBytes(ID),
  signature: (client) => client.signature(ID),
  entriesBy: (client) => client.entriesBy({ author: 'SHA256:+/', from: 1, limit: 1 }),
  mempool: (client) => client.mempool({ offset: 0, limit: 1, author: 'SHA256:+/' }),
  peers: (client) => client.peers(),
  disconnectPeer: (client) => client.disconnectPeer('node-2'),
  connectPeer: (client) => client.connectPeer('node-2'),
  bans: (client) => client.bans(),
  liftBan: (client) => client.liftBan('host:127.0.0.2'),
  sync: (client) => client.sync(),
  mine: (client) => client.mine(2),
  submit: (client) => client.submit('x'),
  submitAll: (client) => client.submitAll(['x']),
  waitFor: (client) => client.waitFor(ID, { timeoutMs: 0 }),
  events: (client) => client.events({ lastEventId: 'a-1', onBreak: giveUp }).next(),
  proof: (client) => client.proof(ID, { headers: 'block', block: ID }),
  otsProof: (client) => client.otsProof(ID, { stamped: 'file', block: ID }),
  merkleBlock: (client) => client.merkleBlock(ID, { block: ID }),
};

/** Routes that no method asks for, with the reason. */
const WITHOUT_METHOD: Record<string, string> = {
  'GET /metrics': 'text for Prometheus',
  'GET /health/live': 'for orchestrators; by ask',
  'GET /health/ready': 'for orchestrators; by ask',
  'POST /sync': 'does what GET does',
};

describe('the methods of the client', () => {
  /** The requests of a call, as "GET /blocks/:id?format". */
  async function requestsOf(call: (client: MinichainClient) => unknown): Promise<string[]> {
    const seen: string[] = [];
    const client = new MinichainClient('http://node', {
      fetch: async (url, { method }) => {
        const { pathname, searchParams } = new URL(url);
        const route = [...operations.keys()].find((candidate) =>
          new RegExp(`^${candidate.replace(/:\w+/g, '[^/]+')}$`).test(`${method} ${pathname}`),
        );
        seen.push(`${route}?${[...searchParams.keys()].join('&')}`);
        return new Response('{}');
      },
    });
    // Nobody answers what they expect; what they ask for is enough.
    await Promise.resolve(call(client)).catch(() => undefined);
    return seen;
  }

  it('ask for every route that has no reason not to be asked for, and for no other', async () => {
    const asked = new Map<string, Set<string>>();
    for (const call of Object.values(CALLS)) {
      const requests = await requestsOf(call);
      expect(requests).not.toEqual([]);
      for (const request of requests) {
        const [route, parameters] = request.split('?') as [string, string];
        const names = asked.get(route) ?? new Set();
        for (const name of parameters.split('&').filter(Boolean)) names.add(name);
        asked.set(route, names);
      }
    }
    // `ask` does for the lab, which most nodes do not have.
    const wanted = [...operations.keys()].filter((route) => !/ \/lab\b/.test(route) && !(route in WITHOUT_METHOD));
    expect([...asked.keys()].sort()).toEqual(wanted.sort());
    for (const [route, names] of asked) {
      const known = operations.get(route)!.parameters.filter((parameter) => parameter.in === 'query');
      expect([route, [...names].sort()]).toEqual([route, known.map(({ name }) => name).sort()]);
    }
  });
});
