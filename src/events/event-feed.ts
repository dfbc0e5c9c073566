import type { Writable } from 'node:stream';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { HttpProblem } from '../common/http-problem.js';
import type { Random } from '../common/random.js';
import { CLOCK, RANDOM } from '../common/tokens.js';
import { EventRing, textOf } from './event-ring.js';
import type { FeedEvent } from './event-schemas.js';
import { EventStreams } from './event-streams.js';
import { EventsMetrics } from './events.metrics.js';

/** Events that a client can have missed without having to fetch all anew. */
export const RING_EVENTS = 1_000;
export const MAX_STREAMS = 100;
/** How soon a browser connects again after it lost the connection. */
const RETRY_MS = 1_000;
const RETRY_AFTER_SECONDS = 5;

/** An event as it is told; the feed adds the time. */
type Untimed<E> = E extends unknown ? Omit<E, 'atMs'> : never;
export type ToldEvent = Untimed<Exclude<FeedEvent, { type: 'reset' }>>;

/** What happens on this node, as numbered events for everybody who listens to GET /events. */
@Injectable()
export class EventFeed implements BeforeApplicationShutdown {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ring = new EventRing(RING_EVENTS, () => this.#bootId);
  readonly #streams: EventStreams;
  #boot: string | undefined;
  #isEnded = false;

  constructor(@Inject(CLOCK) clock: Clock, @Inject(RANDOM) random: Random, metrics: EventsMetrics) {
    this.#clock = clock;
    this.#random = random;
    this.#streams = new EventStreams(this.#ring, clock, metrics);
    metrics.watch(() => this.#streams.size);
  }

  beforeApplicationShutdown(): void {
    this.#isEnded = true;
    this.#streams.end();
  }

  /** Id of the newest event: whatever is read of this node from now on is at least as new. */
  get lastId(): string {
    return this.#ring.idOf(this.#ring.last);
  }

  tell(event: ToldEvent): void {
    this.#ring.add({ ...event, atMs: this.#clock.nowMs() });
    this.#streams.notify();
  }

  /** Refuses what `open` would refuse. @throws HttpProblem 503 when all streams are taken, or the node stops. */
  checkRoom(): void {
    const headers = { 'Retry-After': String(RETRY_AFTER_SECONDS) };
    if (this.#isEnded) throw new HttpProblem(503, 'shutting-down', 'the node is shutting down', headers);
    if (this.#streams.size < MAX_STREAMS) return;
    const detail = `all ${MAX_STREAMS} event streams of this node are taken; try again in ${RETRY_AFTER_SECONDS} s`;
    throw new HttpProblem(503, 'too-many-streams', detail, headers, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }

  /**
   * Writes events to `sink` until it closes, or its client does not read.
   * @param lastId the last event that the client has: it gets what came after it, or a `reset` if that is not here any
   *   more. Without it, the client gets what happens from now on.
   */
  open(sink: Writable, lastId: string | undefined): void {
    const retry = `retry: ${RETRY_MS}\n`;
    const present = `id: ${this.lastId}\n`;
    const resumed = lastId === undefined ? undefined : this.#ring.resume(lastId);
    if (resumed !== undefined) return this.#streams.open(sink, `${retry}\n`, resumed);
    const reset = { type: 'reset', atMs: this.#clock.nowMs(), id: this.lastId } satisfies FeedEvent;
    // Without data this is no event, but a client that loses the connection before the first one knows where it was.
    const head = lastId === undefined ? '\n' : textOf(reset);
    this.#streams.open(sink, retry + present + head, this.#ring.last);
  }

  /** Drawn when first needed, so that simulations, which have no readers, draw the same numbers as without a feed. */
  get #bootId(): string {
    return (this.#boot ??= Buffer.from(this.#random.bytes(6)).toString('hex'));
  }
}
