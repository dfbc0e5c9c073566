import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { mirrorGauge } from '../common/mirror.js';
import { REGISTRY } from '../common/tokens.js';
import { RULE_CODES } from '../consensus/rule-error.js';
import type { MempoolLimits } from './policy.js';

/** What the gauges show; read at each scrape. */
export interface MempoolGauges {
  readonly size: number;
  readonly acknowledgedCount: number;
  readonly bytes: number;
  readonly limits: MempoolLimits;
}

/** What is gossiped is refused sooner than what is posted: posts have a share of the room to themselves. */
const NO_PLACE = ['full', 'full-for-gossip', 'duplicate'] as const;

export type RefusalReason = (typeof NO_PLACE)[number];

/** Why a transaction by itself may not be taken in. */
const REFUSALS = [...NO_PLACE, ...RULE_CODES.filter((code) => /^bad-(txn|sig)/.test(code))];

@Injectable()
export class MempoolMetrics {
  readonly added: Counter<'source'>;
  readonly refused: Counter<'reason'>;
  readonly mined: Counter;
  readonly commitSize: Histogram;
  readonly commitSeconds: Histogram;

  constructor(@Inject(REGISTRY) private readonly registry: Registry) {
    const registers = [registry];
    this.added = new Counter({
      name: 'minichain_mempool_added_total',
      help: 'Transactions taken in, by source: post, peer, reorg (given back by blocks that left the chain).',
      labelNames: ['source'],
      registers,
    });
    this.refused = new Counter({
      name: 'minichain_mempool_refused_total',
      help: 'Transactions not taken in, by reason: full (posts get 503), full-for-gossip, duplicate, or the code of the broken rule.',
      labelNames: ['reason'],
      registers,
    });
    this.mined = new Counter({
      name: 'minichain_mempool_mined_total',
      help: 'Transactions that left because a block holds them.',
      registers,
    });
    this.commitSize = new Histogram({
      name: 'minichain_mempool_commit_transactions',
      help: 'Transactions written by one commit.',
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
      registers,
    });
    this.commitSeconds = new Histogram({
      name: 'minichain_mempool_commit_duration_seconds',
      help: 'Time of one commit that writes transactions, fsync included.',
      buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      registers,
    });
    for (const source of ['post', 'peer', 'reorg']) this.added.inc({ source }, 0);
    for (const reason of REFUSALS) this.refused.inc({ reason }, 0);
  }

  /** Registers the gauges that mirror the mempool. */
  watch(mempool: MempoolGauges): void {
    const registers = [this.registry];
    new Gauge({
      name: 'minichain_mempool_transactions',
      help: 'Waiting transactions: acknowledged (posted here, or mined before a reorg) or gossiped (known from peers only).',
      labelNames: ['kind'],
      registers,
      collect() {
        this.set({ kind: 'acknowledged' }, mempool.acknowledgedCount);
        this.set({ kind: 'gossiped' }, mempool.size - mempool.acknowledgedCount);
      },
    });
    const mirror = (name: string, help: string, read: () => number): void =>
      mirrorGauge(this.registry, name, help, read);
    mirror('minichain_mempool_bytes', 'Encoded bytes of all waiting transactions.', () => mempool.bytes);
    mirror(
      'minichain_mempool_max_transactions',
      'Most transactions that may wait (max_transactions).',
      () => mempool.limits.maxTransactions,
    );
    mirror(
      'minichain_mempool_max_bytes',
      'Most encoded bytes that may wait (max_bytes).',
      () => mempool.limits.maxBytes,
    );
  }
}
