import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { PROBLEM_MEDIA_TYPE, problemSchema } from './problem.js';
import { VERSION } from '../common/version.js';

/** What requireWriteToken asks a token for. */
const WRITING_METHODS = new Set(['post', 'put', 'patch', 'delete']);

type JsonSchema = Record<string, unknown>;

const DESCRIPTION = `One node of a minichain network. Errors are problem details (RFC 9457); \`code\` says which rule was broken.
A JSON body is accepted whatever its Content-Type.`;

/** Serves the OpenAPI document at /docs-json and Swagger UI, from files of ours, at /docs. */
export function serveOpenApi(app: NestFastifyApplication, isTokenNeeded: boolean): void {
  SwaggerModule.setup('docs', app, () => createOpenApi(app, isTokenNeeded), {
    raw: ['json'],
    customSiteTitle: 'minichain API',
    // Swagger UI would else send the document's address to a validator on the internet.
    swaggerOptions: { validatorUrl: null },
  });
}

function createOpenApi(app: NestFastifyApplication, isTokenNeeded: boolean): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('minichain')
    .setDescription(DESCRIPTION)
    .setVersion(VERSION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/');
  if (isTokenNeeded)
    builder.addBearerAuth({ type: 'http', scheme: 'bearer', description: 'http.write_token' }, 'write');
  const document = SwaggerModule.createDocument(app, builder.build(), {
    operationIdFactory: (_controller, method) => method,
    autoTagControllers: false,
    standardSchemaConverter: (schema, { schemaType }) => toOpenApiSchema(schema as z.ZodType, schemaType),
  });
  const { components } = toOpenApiSchema(problemSchema, 'output');
  Object.assign(document.components!.schemas!, components);
  for (const [method, operation] of operationsOf(document)) {
    operation.responses['default'] = {
      description: 'A refusal or a failure, with its status',
      content: { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
    };
    if (isTokenNeeded && WRITING_METHODS.has(method)) operation.security = [{ write: [] }];
  }
  return document;
}

/**
 * JSON Schema of a zod schema as OpenAPI 3.1 wants it: schemas with an id (`.meta({id})`) become components. A schema
 * whose text form says less than it should carries its own in `.meta({openapi})`.
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
      // What zod adds and nobody needs to read: the bounds of every integer, a regular expression for dates.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
      // Fields may be added to answers.
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return { schema: root, components: $defs ?? {} };
}

type Operation = { responses: Record<string, unknown>; security?: Record<string, string[]>[] };

function operationsOf(document: OpenAPIObject): [method: string, operation: Operation][] {
  return Object.values(document.paths).flatMap((item) => Object.entries(item) as [string, Operation][]);
}
