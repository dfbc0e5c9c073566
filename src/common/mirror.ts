import { Counter, Gauge, type Registry } from 'prom-client';

/** Registers a gauge without labels that reads its value, in the unit that its name says, at each scrape. */
export function mirrorGauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

/** As mirrorGauge for a counter without labels; `read` gives the count since the start. */
export function mirrorCounter(registry: Registry, name: string, help: string, read: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}
