import { connectionReason } from './connection-reason.js';
import { MinichainError } from './minichain-error.js';

/** A node sends a comment every 15 s. */
const SILENCE_MS = 45_000;
/** The largest event of a node has about 10,000. */
const MAX_MESSAGE_CHARS = 1_048_576;

/** A message of a stream of server-sent events. */
export interface ServerSent {
  readonly id: string | undefined;
  readonly data: string | undefined;
  readonly retryMs: number | undefined;
}

/**
 * Reads server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), lines ending in LF, as nodes write
 * them. Comments are left out.
 * @throws MinichainError `unreachable` when the stream breaks off, `timeout` when nothing comes for 45 s.
 */
export async function* readMessages(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSent, void, void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await readSoon(reader);
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const messages = rest.split('\n\n');
      rest = messages.pop()!;
      if (rest.length > MAX_MESSAGE_CHARS) {
        throw new MinichainError({ code: 'not-a-node', detail: 'an event without an end' });
      }
      for (const text of messages) {
        const message = messageOf(text);
        if (message !== undefined) yield message;
      }
    }
  } finally {
    // The stream may have failed already.
    await reader.cancel().catch(() => undefined);
  }
}

async function readSoon(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<Awaited<ReturnType<typeof reader.read>>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    const detail = `nothing came for ${SILENCE_MS / 1_000} s`;
    timer = setTimeout(() => reject(new MinichainError({ code: 'timeout', detail })), SILENCE_MS);
  });
  try {
    return await Promise.race([reader.read(), silence]);
  } catch (cause) {
    if (cause instanceof MinichainError) throw cause;
    const detail = `the stream broke off (${connectionReason(cause)})`;
    throw new MinichainError({ code: 'unreachable', detail, cause });
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(text: string): ServerSent | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const before = name === 'data' ? fields.get(name) : undefined;
    fields.set(name, before === undefined ? value! : `${before}\n${value}`);
  }
  if (fields.size === 0) return undefined;
  const retry = fields.get('retry');
  return { id: fields.get('id'), data: fields.get('data'), retryMs: retry === undefined ? undefined : Number(retry) };
}
