import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';
import type { LogOutput } from '../common/logger.js';
import { mirrorCounter, mirrorGauge } from '../common/mirror.js';
import { LOG_OUTPUT, REGISTRY } from '../common/tokens.js';
import { VERSION } from '../common/version.js';

/**
 * Of what prom-client can tell of a process: what a dashboard or an alert looks at. Some are here because it reads others
 * off them at a scrape (the lag's quantiles off the lag, the heap in use off its size).
 */
const PROCESS_METRICS = [
  'process_start_time_seconds',
  'process_cpu_user_seconds_total',
  'process_cpu_system_seconds_total',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'process_open_fds',
  'process_max_fds',
  'nodejs_heap_size_total_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_external_memory_bytes',
  'nodejs_eventloop_lag_seconds',
  'nodejs_eventloop_lag_p50_seconds',
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_eventloop_lag_max_seconds',
  'nodejs_gc_duration_seconds',
];

/** What the metrics read from the connections of one server at each scrape. */
export interface ConnectionReadings {
  readonly size: number;
  /** Since the start. */
  readonly evicted: number;
  /** Since the start. */
  readonly refused: number;
}

/** What the metrics read from the long answers that are being sent. */
export interface LongAnswerReadings {
  readonly size: number;
  /** Since the start. */
  readonly refused: number;
  /** Since the start. */
  readonly ended: number;
}

/** Metrics of the process, its log, its connections and its REST door. */
@Injectable()
export class OpsMetrics {
  #connections: Readonly<Record<string, ConnectionReadings>> = {};
  #longAnswers: LongAnswerReadings = { size: 0, refused: 0, ended: 0 };
  readonly #requestSeconds: Histogram<'method' | 'route' | 'status'>;

  constructor(@Inject(REGISTRY) registry: Registry, @Inject(LOG_OUTPUT) log: LogOutput) {
    const everything = new Registry();
    collectDefaultMetrics({ register: everything });
    for (const name of PROCESS_METRICS) {
      // Not all systems can tell all of it: open files are known on Linux alone.
      const metric = everything.getSingleMetric(name);
      if (metric !== undefined) registry.registerMetric(metric);
    }
    new Gauge({
      name: 'minichain_build_info',
      help: 'Always 1; the labels say which minichain runs on which Node.js.',
      labelNames: ['version', 'nodejs'],
      registers: [registry],
    }).set({ version: VERSION, nodejs: process.version }, 1);
    mirrorCounter(
      registry,
      'minichain_log_lines_dropped_total',
      'Log lines dropped because standard output did not take them.',
      () => log.linesDropped,
    );
    this.#registerConnections(registry);
    this.#registerLongAnswers(registry);
    this.#requestSeconds = new Histogram({
      name: 'minichain_http_request_duration_seconds',
      help: 'Time from the first byte of a REST request to the last of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    });
  }

  /** Where the readings come from, by server. */
  watchConnections(connections: Readonly<Record<string, ConnectionReadings>>): void {
    this.#connections = connections;
  }

  /** Where the readings come from. */
  watchLongAnswers(answers: LongAnswerReadings): void {
    this.#longAnswers = answers;
  }

  #registerLongAnswers(registry: Registry): void {
    const read = (): LongAnswerReadings => this.#longAnswers;
    mirrorGauge(
      registry,
      'minichain_long_answers',
      'REST answers of more than 64 KiB that are being sent.',
      () => read().size,
    );
    mirrorCounter(
      registry,
      'minichain_long_answers_refused_total',
      'Requests answered 503 because as many long answers as the node allows were being sent.',
      () => read().refused,
    );
    mirrorCounter(
      registry,
      'minichain_long_answers_ended_total',
      'Long answers broken off because their readers did not take them.',
      () => read().ended,
    );
  }

  #registerConnections(registry: Registry): void {
    const all = (): [string, ConnectionReadings][] => Object.entries(this.#connections);
    new Gauge({
      name: 'minichain_open_connections',
      help: 'Open TCP connections, by server: rest, rpc, or peers (gRPC).',
      labelNames: ['server'],
      registers: [registry],
      collect() {
        for (const [server, { size }] of all()) this.set({ server }, size);
      },
    });
    new Counter({
      name: 'minichain_connections_evicted_total',
      help: 'Connections that waited for their client and were closed to make room for a new one, by server.',
      labelNames: ['server'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [server, { evicted }] of all()) this.inc({ server }, evicted);
      },
    });
    new Counter({
      name: 'minichain_connections_refused_total',
      help: 'New connections for which there was no room, by server.',
      labelNames: ['server'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [server, { refused }] of all()) this.inc({ server }, refused);
      },
    });
  }

  /** `route` is the pattern (/blocks/:id), never the path, which callers choose. */
  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.#requestSeconds.observe({ method, route, status: String(status) }, seconds);
  }
}
