import type { FeedEvent } from '../events/event-schemas.js';
import type { Http } from './http.js';
import { MinichainError } from './minichain-error.js';
import { backOff, pause } from './retry.js';
import { readMessages } from './server-sent.js';

/** A node that does not say when to come back. */
const RETRY_MS = 1_000;

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
  /** Told each time the stream has broken off. It is opened again. */
  readonly onBreak?: ((error: MinichainError) => void) | undefined;
}

/**
 * The events of a node, one after the other. A stream that breaks off is resumed where it ended. A `reset` event says that the
 * node no longer has what came in between: fetch anew what you show.
 * @throws MinichainError when the first stream cannot be opened, or a later one is refused for good.
 */
export async function* readEvents(
  http: Http,
  { lastEventId, signal, onBreak }: EventsOptions,
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
      for await (const message of readMessages(body)) {
        retryMs = message.retryMs ?? retryMs;
        lastId = message.id ?? lastId;
        failures = 0;
        if (message.data !== undefined) yield { id: lastId ?? '', event: JSON.parse(message.data) as FeedEvent };
      }
      broken = new MinichainError({ code: 'unreachable', detail: `the node at ${http.url} ended the stream` });
    } catch (error) {
      if (signal?.aborted) return;
      if (!(error instanceof MinichainError) || !wasOpen || !error.isTransient) throw error;
      broken = error;
    } finally {
      stop.abort();
    }
    onBreak?.(broken);
    try {
      await pause(Math.max(retryMs, broken.retryAfterMs ?? 0, backOff(failures++)), signal);
    } catch {
      return;
    }
  }
}
