import { Inject, Injectable } from '@nestjs/common';
import { Counter, type Registry } from 'prom-client';
import { EventHub } from './event-hub.js';
import type { Logger } from './logger.js';
import { LOGGER, REGISTRY } from './tokens.js';

/**
 * Where any module reports a fault of this node itself: a full disk, an I/O error, a listener that threw. Each is
 * logged and counted; who listens (health) decides what follows. Broken rules of peers and refused posts are no faults.
 */
@Injectable()
export class Faults {
  readonly #log: Logger;
  readonly #count: Counter;
  readonly #hub = new EventHub<{ readonly fault: Error }>((error) => this.#note(error));

  constructor(@Inject(LOGGER) log: Logger, @Inject(REGISTRY) registry: Registry) {
    this.#log = log.child({ module: 'faults' });
    this.#count = new Counter({
      name: 'minichain_faults_total',
      help: 'Faults of this node (disk full, I/O errors, broken invariants).',
      registers: [registry],
    });
  }

  readonly report = (error: Error): void => {
    this.#note(error);
    this.#hub.emit('fault', error);
  };

  /** @returns a function that ends the subscription. */
  on(listener: (error: Error) => void): () => void {
    return this.#hub.on('fault', listener);
  }

  #note(error: Error): void {
    this.#count.inc();
    this.#log.error({ err: error }, `Fault of this node: ${error.message}`);
  }
}
