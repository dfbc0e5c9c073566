import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { REGISTRY } from '../common/tokens.js';

/** What the gauges show; read at each scrape. */
export interface MempoolGauges {
  readonly size: number;
  readonly acknowledgedCount: number;
  readonly bytes: number;
}

@Injectable()
export class MempoolMetrics {
  readonly added: Counter<'source'>;
  readonly refused: Counter<'reason'>;
  readonly mined: Counter;
  readonly commitSize: Histogram;

  constructor(@Inject(REGISTRY) private readonly registry: Registry) {
    const registers = [registry];
    this.added = new Counter({
      name: 'minichain_mempool_added_total',
      help: 'Transactions taken in, by source: post, peer, reorg (given back by blocks that left the chain)',
      labelNames: ['source'],
      registers,
    });
    this.refused = new Counter({
      name: 'minichain_mempool_refused_total',
      help: 'Transactions not taken in, by reason: full, duplicate, or the code of the broken rule',
      labelNames: ['reason'],
      registers,
    });
    this.mined = new Counter({
      name: 'minichain_mempool_mined_total',
      help: 'Transactions that left because a block holds them',
      registers,
    });
    this.commitSize = new Histogram({
      name: 'minichain_mempool_commit_transactions',
      help: 'Transactions written by one commit',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      registers,
    });
  }

  /** Registers the gauges that mirror the mempool. */
  watch(mempool: MempoolGauges): void {
    const registers = [this.registry];
    new Gauge({
      name: 'minichain_mempool_transactions',
      help: 'Waiting transactions: acknowledged (posted here, or mined before a reorg) or gossiped (known from peers only)',
      labelNames: ['kind'],
      registers,
      collect() {
        this.set({ kind: 'acknowledged' }, mempool.acknowledgedCount);
        this.set({ kind: 'gossiped' }, mempool.size - mempool.acknowledgedCount);
      },
    });
    new Gauge({
      name: 'minichain_mempool_bytes',
      help: 'Encoded bytes of all waiting transactions',
      registers,
      collect() {
        this.set(mempool.bytes);
      },
    });
  }
}
