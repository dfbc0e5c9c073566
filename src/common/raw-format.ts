import { StreamableFile } from '@nestjs/common';
import { z } from 'zod';
import { expected } from './http-input.js';

/** For routes that also show what they have as the bytes that are hashed. */
export const formatQuerySchema = z.object({
  format: z
    .enum(['json', 'raw', 'hex'], { error: expected('json, raw or hex') })
    .meta({ description: '`raw`: the bytes themselves; `hex`: as hex digits.', default: 'json' })
    .optional(),
});

export type RawFormat = Exclude<z.infer<typeof formatQuerySchema>['format'], 'json' | undefined>;

const MEDIA_TYPES = { raw: 'application/octet-stream', hex: 'text/plain; charset=utf-8' } as const;

export function answerBytes(bytes: Buffer, format: RawFormat): StreamableFile {
  const body = format === 'raw' ? bytes : Buffer.from(bytes.toString('hex'), 'latin1');
  return new StreamableFile(body, { type: MEDIA_TYPES[format], length: body.length });
}

export function answerText(text: string): StreamableFile {
  const body = Buffer.from(text, 'utf8');
  return new StreamableFile(body, { type: MEDIA_TYPES.hex, length: body.length });
}

/** For ApiOkResponse: both forms of the bytes. */
export function rawContent(description: string): object {
  return {
    description,
    content: {
      'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
      'text/plain': { schema: { type: 'string', pattern: '^([0-9a-f]{2})*$' } },
    },
  };
}
