import { Inject, Injectable } from '@nestjs/common';
import { Gauge, Histogram, collectDefaultMetrics, type Registry } from 'prom-client';
import { REGISTRY } from '../common/tokens.js';
import { VERSION } from '../common/version.js';

/** Metrics of the process and of its REST door. */
@Injectable()
export class OpsMetrics {
  readonly #requestSeconds: Histogram<'method' | 'route' | 'status'>;

  constructor(@Inject(REGISTRY) registry: Registry) {
    collectDefaultMetrics({ register: registry });
    new Gauge({
      name: 'minichain_build_info',
      help: 'Always 1; the labels say which minichain runs on which Node.js.',
      labelNames: ['version', 'node'],
      registers: [registry],
    }).set({ version: VERSION, node: process.version }, 1);
    this.#requestSeconds = new Histogram({
      name: 'minichain_http_request_duration_seconds',
      help: 'Time from the first byte of a REST request to the last of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers: [registry],
    });
  }

  /** `route` is the pattern (/blocks/:id), never the path, which callers choose. */
  observeRequest(method: string, route: string, status: number, seconds: number): void {
    this.#requestSeconds.observe({ method, route, status: String(status) }, seconds);
  }
}
