import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { VERSION } from '../common/version.js';
import type { NodeConfig } from '../config/node-config.js';
import { LAST_EVENT_DOC, LAST_EVENT_HEADER } from './last-event.js';
import { PROBLEM_MEDIA_TYPE, problemSchema } from './problem.js';
import type { RouteTable } from './route-table.js';

type JsonSchema = Record<string, unknown>;

type Operation = { responses: Record<string, { headers?: object } | undefined>; security?: Record<string, string[]>[] };

type HttpConfig = NodeConfig['http'];

const DESCRIPTION = `One node of a minichain network. Errors are problem details (RFC 9457); \`code\` names the rule that was broken.
A JSON body is accepted whatever its Content-Type.`;

/** Serves the OpenAPI document at /docs-json and Swagger UI, from files of ours, at /docs. */
export function serveOpenApi(app: NestFastifyApplication, routes: RouteTable, http: HttpConfig): void {
  SwaggerModule.setup('docs', app, () => createOpenApi(app, routes, http), {
    raw: ['json'],
    customSiteTitle: 'minichain API',
    // Swagger UI would otherwise send the document's address to a validator on the internet.
    swaggerOptions: { validatorUrl: null },
  });
}

function createOpenApi(app: NestFastifyApplication, routes: RouteTable, http: HttpConfig): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('minichain')
    .setDescription(DESCRIPTION)
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/');
  if (http.writeToken !== undefined) {
    // By hand: addBearerAuth says that the token is a JWT.
    const description = 'The value of `http.write_token` in the configuration of the node.';
    builder.addSecurity('write', { type: 'http', scheme: 'bearer', description });
  }
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (_controller, method) => method,
    autoTagControllers: false,
    standardSchemaConverter: (schema, { schemaType }) => toOpenApiSchema(schema as z.ZodType, schemaType),
  });
  const { components } = toOpenApiSchema(problemSchema, 'output');
  Object.assign(document.components!.schemas!, components);
  for (const [path, item] of Object.entries(document.paths)) {
    const url = path.replace(/\{(\w+)\}/g, ':$1');
    for (const [method, operation] of Object.entries(item) as [string, Operation][]) {
      const declared = routes.operation(method.toUpperCase(), url);
      if (http.writeToken !== undefined && declared?.effect !== 'read') {
        operation.security = [{ write: [] }];
        operation.responses['401'] = problemResponse('The write token is missing or wrong', {
          'WWW-Authenticate': 'Names the scheme, Bearer.',
        });
      }
      if (declared?.effect === 'read') {
        for (const response of [operation.responses['200'], operation.responses['202']]) {
          if (response !== undefined) response.headers = { [LAST_EVENT_HEADER]: LAST_EVENT_DOC };
        }
      }
      if (http.rateLimitPerSecond > 0 && declared?.isRateLimited !== false) {
        operation.responses['429'] = problemResponse('Too many requests from one address', {
          'Retry-After': 'Seconds to wait.',
        });
      }
      operation.responses['default'] = problemResponse('A refusal or a failure, with its status');
    }
  }
  return document;
}

function problemResponse(description: string, headers: Readonly<Record<string, string>> = {}): object {
  const described = Object.entries(headers).map(([name, text]) => [
    name,
    { description: text, schema: { type: 'string' } },
  ]);
  return {
    description,
    ...(described.length > 0 ? { headers: Object.fromEntries(described) as object } : {}),
    content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
  };
}

/**
 * Converts a zod schema to the JSON Schema of OpenAPI 3.1. Schemas with an id (`.meta({id})`) become components. A schema
 * that transforms its input cannot be converted well, so it brings its own JSON Schema in `.meta({openapi})`.
 */
export function toOpenApiSchema(
  schema: z.ZodType,
  io: 'input' | 'output',
): { schema: JsonSchema; components: Record<string, JsonSchema> } {
  const {
    $schema: _,
    $defs,
    ...root
  } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    override: ({ zodSchema, jsonSchema }) => {
      const { openapi } = (z.globalRegistry.get(zodSchema) ?? {}) as { openapi?: JsonSchema };
      if (openapi !== undefined) {
        for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
        Object.assign(jsonSchema, openapi);
      }
      // zod adds what nobody needs to read: the bounds of every integer, a regular expression for dates.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      // Fields may be added to answers.
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return { schema: root, components: $defs ?? {} };
}
