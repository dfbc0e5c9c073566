import type { FeedEvent } from '../events/event-schemas.js';
import type { Http } from './http.js';
import { MinichainError } from './minichain-error.js';
import { backOff, pause } from './retry.js';
import { readMessages } from './server-sent.js';

/** A node that does not say when to come back. */
const RETRY_MS = 1_000;
/** Who watches a node wants to see soon that it is back. */
const MAX_RETRY_MS = 2_000;

/** An event, and the id with which a stream resumes after it. */
export interface ReceivedEvent {
  readonly id: string;
  readonly event: FeedEvent;
}

export interface EventsOptions {
  /** Begin with what came after this event, such as the `eventId` of an answer. Without it: with what comes from now on. */
  readonly lastEventId?: string | undefined;
  /** Ends the iteration, which then is simply over. */
  readonly signal?: AbortSignal | undefined;
  /** Told each time the stream is open, before its events. */
  readonly onOpen?: (() => void) | undefined;
  /** Told each time the stream has broken off. It is opened again. */
  readonly onBreak?: ((error: MinichainError) => void) | undefined;
  /** Try again also where the first stream cannot be opened, or the node refuses it for good. Then only `signal` ends it. */
  readonly isPatient?: boolean | undefined;
}

/**
 * The events of a node, one after the other. A stream that breaks off is resumed where it ended. A `reset` event says that the
 * node no longer has what came in between: fetch anew what you show.
 * @throws MinichainError when the first stream cannot be opened, or a later one is refused for good.
 */
export async function* readEvents(
  http: Http,
  { lastEventId, signal, onOpen, onBreak, isPatient = false }: EventsOptions,
): AsyncGenerator<ReceivedEvent, void, void> {
  let lastId = lastEventId;
  let retryMs = RETRY_MS;
  let failures = 0;
  let wasOpen = false;
  if (signal?.aborted) return;
  for (;;) {
    const stop = new AbortController();
    const joint = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const query = lastId === undefined ? '' : `?lastEventId=${encodeURIComponent(lastId)}`;
    let broken: MinichainError;
    try {
      const body = await http.stream(`/events${query}`, joint);
      wasOpen = true;
      onOpen?.();
      for await (const message of readMessages(body)) {
        retryMs = message.retryMs ?? retryMs;
        lastId = message.id ?? lastId;
        failures = 0;
        if (message.data !== undefined) yield { id: lastId ?? '', event: eventOf(message.data, http.url) };
      }
      broken = new MinichainError({ code: 'unreachable', detail: `the node at ${http.url} ended the stream` });
    } catch (error) {
      if (signal?.aborted) return;
      if (!(error instanceof MinichainError)) throw error;
      if (!isPatient && (!wasOpen || !error.isTransient)) throw error;
      broken = error;
    } finally {
      stop.abort();
    }
    onBreak?.(broken);
    try {
      await pause(Math.max(retryMs, broken.retryAfterMs ?? 0, backOff(failures++, MAX_RETRY_MS)), signal);
    } catch {
      return;
    }
  }
}

function eventOf(data: string, url: string): FeedEvent {
  try {
    return JSON.parse(data) as FeedEvent;
  } catch (cause) {
    throw new MinichainError({ code: 'not-a-node', detail: `${url} sends something other than events`, cause });
  }
}
