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
/** Of one host, so that no host takes them all. This machine has no such limit: a proxy here stands for many. */
export const MAX_STREAMS_OF_HOST = 16;
/** Kept for this machine, so that whoever runs the node can always watch it. */
const KEPT_STREAMS = 10;
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

  /**
   * Refuses a stream for which there is no room.
   * @param host as clientOf() gives it.
   * @throws HttpProblem 503 when all streams that this host may have are taken, or the node stops.
   */
  checkRoom(host: string | undefined): void {
    const headers = { 'Retry-After': String(RETRY_AFTER_SECONDS) };
    if (this.#isEnded) throw new HttpProblem(503, 'shutting-down', 'the node is shutting down', headers);
    const taken = this.#taken(host);
    if (taken === undefined) return;
    const detail = `${taken} are taken; try again in ${RETRY_AFTER_SECONDS} s`;
    throw new HttpProblem(503, 'too-many-streams', detail, headers, { retryAfterSeconds: RETRY_AFTER_SECONDS });
  }

  /**
   * Writes events to `sink` until it closes, or its client does not read. The caller asks `checkRoom` first.
   * @param host as clientOf() gives it.
   * @param lastId the last event that the client has: it gets what came after it, or a `reset` if that is not here any
   *   more. Without it, the client gets what happens from now on.
   */
  open(sink: Writable, host: string | undefined, lastId: string | undefined): void {
    const retry = `retry: ${RETRY_MS}\n`;
    const present = `id: ${this.lastId}\n`;
    const resumed = lastId === undefined ? undefined : this.#ring.resume(lastId);
    if (resumed !== undefined) return this.#streams.open({ sink, host, head: `${retry}\n`, number: resumed });
    const reset = { type: 'reset', atMs: this.#clock.nowMs(), id: this.lastId } satisfies FeedEvent;
    // Without data this is no event, but a client that loses the connection before the first one knows where it was.
    const head = lastId === undefined ? '\n' : textOf(reset);
    this.#streams.open({ sink, host, head: retry + present + head, number: this.#ring.last });
  }

  /** The streams that leave no room for one more of this host; undefined: there is room. */
  #taken(host: string | undefined): string | undefined {
    const { size, hosts } = this.#streams;
    if (size >= MAX_STREAMS) return `all ${MAX_STREAMS} event streams of this node`;
    if (host === undefined) return undefined;
    const own = hosts.filter((other) => other === host).length;
    if (own >= MAX_STREAMS_OF_HOST) return `all ${MAX_STREAMS_OF_HOST} event streams that one host may have`;
    const most = MAX_STREAMS - KEPT_STREAMS;
    return hosts.length < most ? undefined : `all ${most} event streams for other machines`;
  }

  /** Drawn when first needed, so that simulations, which have no readers, draw the same numbers as without a feed. */
  get #bootId(): string {
    return (this.#boot ??= Buffer.from(this.#random.bytes(6)).toString('hex'));
  }
}
