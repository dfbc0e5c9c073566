import { Inject, Injectable } from '@nestjs/common';
import { Counter, type Registry } from 'prom-client';
import { systemClock } from './clock.js';
import { EventHub } from './event-hub.js';
import type { Logger } from './logger.js';
import { LOGGER, REGISTRY } from './tokens.js';

/** So long without a passing fault, and the next one counts as another. */
const PASSING_MS = 60_000;

/**
 * A fault that nothing here can mend, and that ends when its cause outside of this process does. Nothing is damaged or lost
 * by it, and who asked for something may ask again.
 */
export class PassingFault extends Error {
  /** @param code a stable kebab-case word for programs. */
  constructor(
    message: string,
    readonly code: string,
    readonly retryAfterSeconds: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * Where any module reports a fault of this node itself: a full disk, an I/O error, a listener that threw. Each is
 * logged and counted, a passing one once while it lasts; who listens (health) decides what follows. Broken rules of peers
 * and refused posts are no faults.
 */
@Injectable()
export class Faults {
  readonly #log: Logger;
  readonly #count: Counter;
  /** When each passing fault was met last, by code. */
  readonly #lastMs = new Map<string, number>();
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
    if (!(error instanceof PassingFault) || this.#isNews(error)) this.#note(error);
    this.#hub.emit('fault', error);
  };

  /** Every write meets a passing fault for as long as it lasts. */
  #isNews({ code }: PassingFault): boolean {
    const nowMs = systemClock.monotonicMs();
    const lastMs = this.#lastMs.get(code) ?? -Infinity;
    this.#lastMs.set(code, nowMs);
    return nowMs - lastMs >= PASSING_MS;
  }

  /** The passing fault with this code is over: if it comes back, it is another one. */
  ended(code: string): void {
    this.#lastMs.delete(code);
  }

  /** @returns a function that ends the subscription. */
  on(listener: (error: Error) => void): () => void {
    return this.#hub.on('fault', listener);
  }

  #note(error: Error): void {
    this.#count.inc();
    // Where a passing fault comes from is in its message; a stack would only repeat it.
    const facts = error instanceof PassingFault ? { code: error.code } : { err: error };
    this.#log.error(facts, `Fault of this node: ${error.message}`);
  }
}
