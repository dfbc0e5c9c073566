import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startRestApp, type Answer, type RestApp } from '../../test/support/rest-app.js';

let rest: RestApp;
let document: Answer['json'];

beforeAll(async () => {
  rest = await startRestApp({ MINICHAIN_HTTP_WRITE_TOKEN: 'token' });
  ({ json: document } = await rest.get('/docs-json'));
});

afterAll(() => rest.close());

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly parameters: readonly { name: string; in: string; required: boolean; schema: object; description?: string }[];
  readonly responses: Record<string, { description: string; content: Record<string, { schema: object }> }>;
  readonly security?: readonly object[];
}

function operations(): [route: string, operation: Operation][] {
  return Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
      operation,
    ]),
  );
}

function* valuesOf(value: unknown, key: string): Generator {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name === key) yield inner;
    yield* valuesOf(inner, key);
  }
}

describe('the OpenAPI document', () => {
  it('lists exactly the routes there are', () => {
    expect(
      operations()
        .map(([route]) => route)
        .sort(),
    ).toEqual([...rest.routes].sort());
    expect(rest.routes).toEqual(
      expect.arrayContaining([
        'POST /blocks',
        'GET /chain',
        'GET /blocks/:id',
        'GET /forks',
        'GET /events',
        'GET /headers',
        'GET /network',
        'GET /transactions',
        'GET /transactions/:id',
        'GET /transactions/:id/proof',
        'GET /mempool',
        'GET /peers',
        'GET /peers/bans',
        'DELETE /peers/bans/:subject',
        'POST /peers/:id/disconnect',
        'POST /peers/:id/connect',
        'GET /sync',
        'POST /sync',
        'GET /status',
        'POST /mine',
        'GET /metrics',
        'GET /health/live',
        'GET /health/ready',
      ]),
    );
  });

  it('is OpenAPI 3.1 with every operation described', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'minichain', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    const ids = operations().map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [route, { summary, tags, parameters, responses, security }] of operations()) {
      const [success = ''] = Object.keys(responses);
      const { effect, isRateLimited } = rest.operations.get(route)!;
      const isWrite = effect === 'write';
      const isDescribed = { 401: '401' in responses, 429: '429' in responses };
      expect({ route, summary, tags, success, security, isDescribed }).toEqual({
        route,
        summary: expect.stringMatching(/\S/),
        tags: [expect.any(String)],
        success: expect.stringMatching(/^20[02]$/),
        security: isWrite ? [{ write: [] }] : undefined,
        isDescribed: { 401: isWrite, 429: isRateLimited },
      });
      expect(responses['default']?.content).toHaveProperty(['application/problem+json']);
      for (const { schema } of Object.values(responses[success]!.content)) expect(schema).not.toEqual({});
      const named = [...route.matchAll(/:(\w+)/g)].map(([, name]) => name);
      expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)).toEqual(named);
      for (const { description, schema } of parameters) {
        expect(description).toMatch(/\S/);
        expect(schema).toHaveProperty('type');
      }
    }
  });

  it('describes the token as what it is: any text, not a JWT', () => {
    const { write } = document.components.securitySchemes;
    expect(write).toEqual({ type: 'http', scheme: 'bearer', description: expect.stringContaining('http.write_token') });
  });

  it('asks for no token and names no limit where the node has none', async () => {
    const open = await startRestApp({ MINICHAIN_HTTP_RATE_LIMIT_PER_SECOND: '0' });
    const text = JSON.stringify((await open.get('/docs-json')).json);
    await open.close();
    expect(text).not.toMatch(/"security|"401"|"429"/);
  });

  it('names exactly the query parameters that each route knows', () => {
    for (const [route, { parameters }] of operations()) {
      const named = parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
      expect([route, named]).toEqual([route, rest.operations.get(route)!.queryParameters]);
    }
  });

  it('has what every reference names, and schemas that are JSON Schema', () => {
    const references = new Set(valuesOf(document, '$ref'));
    expect(references.size).toBeGreaterThan(10);
    for (const reference of references) {
      expect(document.components.schemas).toHaveProperty([String(reference).replace('#/components/schemas/', '')]);
    }
    for (const [name, schema] of Object.entries<Record<string, unknown>>(document.components.schemas)) {
      const definitions = document.components.schemas;
      const local = JSON.parse(
        JSON.stringify({ ...schema, $defs: definitions }).replaceAll('#/components/schemas/', '#/$defs/'),
      );
      expect([name, z.fromJSONSchema(local).safeParse(undefined).success]).toEqual([name, false]);
    }
  });

  it('describes what the node really answers', async () => {
    const paths = [
      '/status',
      '/network',
      '/headers',
      '/chain',
      '/forks',
      '/blocks/0',
      '/mempool',
      `/transactions?author=SHA256:${'A'.repeat(43)}`,
      '/peers',
      '/peers/bans',
      '/sync',
      '/health/live',
    ];
    for (const path of paths) {
      const template = path.replace('/blocks/0', '/blocks/{id}').split('?')[0]!;
      const schema = document.paths[template].get.responses['200'].content['application/json'].schema;
      const text = JSON.stringify({ ...schema, $defs: document.components.schemas });
      const validator = z.fromJSONSchema(JSON.parse(text.replaceAll('#/components/schemas/', '#/$defs/')));
      expect([path, validator.safeParse({}).success]).toEqual([path, false]);
      const { json } = await rest.get(path);
      expect([path, validator.safeParse(json).data]).toEqual([path, json]);
    }
  });
});

describe('/docs', () => {
  it('is Swagger UI from our own files', async () => {
    const page = await rest.get('/docs');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    const assets = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) {
      expect(asset).toMatch(/^\.\/docs\//);
      expect([asset, (await rest.get(asset.slice(1))).status]).toEqual([asset, 200]);
    }
    expect((await rest.get('/docs/swagger-ui-init.js')).text).toMatch(/"validatorUrl": null/);
  });
});
