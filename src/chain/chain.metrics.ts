import { Inject, Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { nowSeconds, type Clock } from '../common/clock.js';
import { CLOCK, REGISTRY } from '../common/tokens.js';
import type { BlockNode } from '../consensus/block-tree.js';

/** What the gauges show; read at each scrape. */
export interface ChainGauges {
  readonly tip: BlockNode;
  readonly orphanCount: number;
  readonly orphanBytes: number;
}

@Injectable()
export class ChainMetrics {
  readonly accepted: Counter<'outcome'>;
  readonly rejected: Counter<'code'>;
  /** Blocks that entered the active chain; its rate is the blocks per minute. */
  readonly connected: Counter;
  readonly reorgDepth: Histogram;
  readonly reorgsRefused: Counter<'reason'>;
  readonly acceptSeconds: Histogram<'call'>;
  readonly faults: Counter;

  constructor(
    @Inject(REGISTRY) private readonly registry: Registry,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const registers = [registry];
    this.accepted = new Counter({
      name: 'minichain_blocks_accepted_total',
      help: 'Blocks that broke no rule, by outcome: extended, reorganised, side, orphan, duplicate',
      labelNames: ['outcome'],
      registers,
    });
    this.rejected = new Counter({
      name: 'minichain_blocks_rejected_total',
      help: 'Blocks that broke a rule, by its code',
      labelNames: ['code'],
      registers,
    });
    this.connected = new Counter({
      name: 'minichain_blocks_connected_total',
      help: 'Blocks that entered the active chain',
      registers,
    });
    this.reorgDepth = new Histogram({
      name: 'minichain_reorg_depth_blocks',
      help: 'Blocks that left the active chain in a reorganisation',
      buckets: [1, 2, 3, 5, 10, 20, 50, 100, 1000],
      registers,
    });
    this.reorgsRefused = new Counter({
      name: 'minichain_reorgs_refused_total',
      help: 'Branches that were refused by a checkpoint, or with more work because of max_reorg_depth, by reason',
      labelNames: ['reason'],
      registers,
    });
    this.acceptSeconds = new Histogram({
      name: 'minichain_block_accept_duration_seconds',
      help: 'Time of one call that takes in one block or a batch of them, commit included',
      labelNames: ['call'],
      buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      registers,
    });
    this.faults = new Counter({
      name: 'minichain_chain_faults_total',
      help: 'Faults of this node while it stored blocks or entries (disk full, I/O errors)',
      registers,
    });
  }

  /** Registers the gauges that mirror the chain. */
  watch(chain: ChainGauges): void {
    this.#gauge('minichain_chain_height', 'Height of the active tip', () => chain.tip.height);
    this.#gauge('minichain_chain_work', 'Expected hashes behind the active chain', () => Number(chain.tip.chainWork));
    this.#gauge('minichain_tip_age_seconds', 'Time since the active tip was mined, by its header', () =>
      Math.max(0, nowSeconds(this.clock) - chain.tip.time),
    );
    this.#gauge('minichain_orphan_blocks', 'Blocks kept whose parent is unknown', () => chain.orphanCount);
    this.#gauge('minichain_orphan_bytes', 'Bytes of the blocks kept whose parent is unknown', () => chain.orphanBytes);
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}
