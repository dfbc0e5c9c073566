import { Inject, Injectable } from '@nestjs/common';
import { Counter, type Registry } from 'prom-client';
import { mirrorCounter, mirrorGauge } from '../common/mirror.js';
import { REGISTRY } from '../common/tokens.js';
import { SEARCH_ENDS } from './miner.events.js';

/** Why a block that was found did not become the tip: the tip had just changed, a rule was broken, or this node failed. */
const LOSS_REASONS = ['stale', 'refused', 'fault'] as const;

/** What the metrics read from the miner at each scrape. */
export interface MinerReadings {
  readonly hashesDone: number;
  readonly hashRate: number;
  readonly maxHashRate: number;
  readonly active: boolean;
}

@Injectable()
export class MinerMetrics {
  readonly searches: Counter<'result'>;
  readonly blocksMined: Counter;
  readonly blocksLost: Counter<'reason'>;
  #read: () => MinerReadings = () => ({ hashesDone: 0, hashRate: 0, maxHashRate: 0, active: false });

  constructor(@Inject(REGISTRY) registry: Registry) {
    const registers = [registry];
    const read = (): MinerReadings => this.#read();
    this.searches = new Counter({
      name: 'minichain_miner_searches_total',
      help: 'Searches for a nonce, by how they ended.',
      labelNames: ['result'],
      registers,
    });
    this.blocksMined = new Counter({
      name: 'minichain_miner_blocks_mined_total',
      help: 'Blocks that this node found and that became the tip.',
      registers,
    });
    this.blocksLost = new Counter({
      name: 'minichain_miner_blocks_lost_total',
      help: 'Blocks that this node found and that did not become the tip, by reason.',
      labelNames: ['reason'],
      registers,
    });
    for (const result of SEARCH_ENDS) this.searches.inc({ result }, 0);
    for (const reason of LOSS_REASONS) this.blocksLost.inc({ reason }, 0);
    mirrorCounter(registry, 'minichain_miner_hashes_total', 'Block hashes tried.', () => read().hashesDone);
    mirrorGauge(
      registry,
      'minichain_miner_hashes_per_second',
      'Hashes per second over the last 10 s of searching.',
      () => read().hashRate,
    );
    mirrorGauge(
      registry,
      'minichain_miner_max_hashes_per_second',
      'Most hashes per second that this node may try; 0 = no limit.',
      () => read().maxHashRate,
    );
    mirrorGauge(registry, 'minichain_miner_active', '1 while a search for a nonce runs.', () => Number(read().active));
  }

  /** Where the readings come from. */
  watch(read: () => MinerReadings): void {
    this.#read = read;
  }
}
