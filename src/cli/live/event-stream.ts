import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isLoopback } from '../../config/address.js';
import type { FeedEvent } from '../../events/event-schemas.js';
import { connectionReason } from './connection-reason.js';

/** A node sends a comment every 15 seconds (docs/events.md): after more than two of them it counts as gone. */
const SILENCE_MS = 40_000;
const CONNECT_MS = 10_000;
const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 2_000;
/** Far above any event. */
const MAX_EVENT_CHARS = 4_194_304;

export interface StreamListener {
  /** The stream is open. After a break it goes on with what was missed, or with a `reset` event. */
  opened(): void;
  event(event: FeedEvent, id: string): void;
  /** The stream broke off, or could not be opened; it is tried again and again. Told once for each break. */
  lost(reason: string): void;
}

/** GET /events of the node at `url`, opened again after each break where it ended, until `signal` is aborted. */
export async function followEvents(url: string, listener: StreamListener, signal: AbortSignal): Promise<void> {
  let lastId: string | undefined;
  let retryMs = FIRST_RETRY_MS;
  let isLost = false;
  while (!signal.aborted) {
    try {
      const response = await open(url, lastId, signal);
      const parser = new EventParser();
      retryMs = FIRST_RETRY_MS;
      isLost = false;
      listener.opened();
      for await (const chunk of response) {
        for (const { id, data } of parser.take(String(chunk))) {
          lastId = id ?? lastId;
          if (data !== undefined) listener.event(JSON.parse(data) as FeedEvent, id ?? '');
        }
      }
      throw new Error('it ended the stream of events');
    } catch (error) {
      if (signal.aborted) return;
      if (!isLost) listener.lost(connectionReason(error));
      isLost = true;
    }
    await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    retryMs = Math.min(MAX_RETRY_MS, retryMs * 2);
  }
}

async function open(url: string, lastId: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
  const { protocol, hostname } = new URL(url);
  const isSecure = protocol === 'https:';
  // As NodeClient: on this machine no proxy, whatever NODE_USE_ENV_PROXY says.
  const isDirect = !isSecure && isLoopback(hostname.replace(/^\[|\]$/g, ''));
  const { request } = isSecure ? await import('node:https') : { request: httpRequest };
  const headers = { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) };
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/events`, { headers, signal, ...(isDirect && { agent: new Agent() }) });
    outgoing.setTimeout(CONNECT_MS, () => outgoing.destroy(new Error('it does not answer')));
    outgoing.once('error', reject).once('response', (response) => {
      if (response.statusCode !== 200) {
        reject(new Error(`it refuses its events (HTTP ${response.statusCode})`));
        outgoing.destroy();
        return;
      }
      response.socket.setTimeout(SILENCE_MS);
      response.setEncoding('utf8');
      resolve(response);
    });
    outgoing.end();
  });
}

/** Fields of one message of the stream (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
interface Message {
  readonly id: string | undefined;
  readonly data: string | undefined;
}

class EventParser {
  #rest = '';

  /** @throws Error where what comes is no such stream. */
  take(chunk: string): Message[] {
    const messages = (this.#rest + chunk).split('\n\n');
    this.#rest = messages.pop()!;
    if (this.#rest.length > MAX_EVENT_CHARS) throw new Error('it sends something other than events');
    return messages.map((message) => {
      const fields = new Map(message.split('\n').map((line) => splitField(line)));
      return { id: fields.get('id'), data: fields.get('data') };
    });
  }
}

function splitField(line: string): [string, string] {
  const at = line.indexOf(':');
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1).replace(/^ /, '')];
}
