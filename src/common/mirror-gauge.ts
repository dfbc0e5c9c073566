import { Gauge, type Registry } from 'prom-client';

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
