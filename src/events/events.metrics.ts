import { Inject, Injectable } from '@nestjs/common';
import { Counter, type Registry } from 'prom-client';
import { mirrorGauge } from '../common/mirror.js';
import { REGISTRY } from '../common/tokens.js';
import type { StreamMeter } from './event-streams.js';

@Injectable()
export class EventsMetrics implements StreamMeter {
  readonly #sent: Counter;
  readonly #dropped: Counter;

  constructor(@Inject(REGISTRY) private readonly registry: Registry) {
    this.#sent = new Counter({
      name: 'minichain_events_sent_total',
      help: 'Events sent to clients of GET /events, over all streams.',
      registers: [registry],
    });
    this.#dropped = new Counter({
      name: 'minichain_event_streams_dropped_total',
      help: 'Event streams that were ended because their client did not read.',
      registers: [registry],
    });
  }

  sent(events: number): void {
    this.#sent.inc(events);
  }

  dropped(): void {
    this.#dropped.inc();
  }

  /** Registers the gauge of open streams. */
  watch(openStreams: () => number): void {
    mirrorGauge(this.registry, 'minichain_event_streams', 'Open streams of GET /events.', openStreams);
  }
}
