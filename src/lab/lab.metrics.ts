import { Inject, Injectable } from '@nestjs/common';
import { Gauge, type Registry } from 'prom-client';
import { REGISTRY } from '../common/tokens.js';

@Injectable()
export class LabMetrics {
  constructor(@Inject(REGISTRY) private readonly registry: Registry) {}

  /** Registers the gauge of links that the lab disturbs. */
  watch(read: () => { readonly cut: number; readonly slow: number }): void {
    new Gauge({
      name: 'minichain_lab_links',
      help: 'Links of this node that its lab has cut or made slow on purpose.',
      labelNames: ['fault'],
      registers: [this.registry],
      collect() {
        const { cut, slow } = read();
        this.set({ fault: 'cut' }, cut);
        this.set({ fault: 'slow' }, slow);
      },
    });
  }
}
