import { Inject, Injectable } from '@nestjs/common';
import { Counter, Histogram, type Registry } from 'prom-client';
import { nowSeconds, type Clock } from '../common/clock.js';
import { mirrorGauge } from '../common/mirror.js';
import { CLOCK, REGISTRY } from '../common/tokens.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { RULE_CODES } from '../consensus/rule-error.js';
import type { AcceptOutcome } from './chain.events.js';

/** A comparison of nodes leaves out the newest blocks: these may still be on their way. */
const SETTLING_SECONDS = 15;
/** Nodes are not scraped all at once, so what they are compared by must stand still for longer than that takes. */
const COMPARED_EVERY_SECONDS = 30;

const OUTCOMES = {
  extended: true,
  reorganised: true,
  side: true,
  orphan: true,
  duplicate: true,
} satisfies Record<AcceptOutcome['kind'], true>;

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

  constructor(
    @Inject(REGISTRY) private readonly registry: Registry,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const registers = [registry];
    this.accepted = new Counter({
      name: 'minichain_blocks_accepted_total',
      help: 'Blocks that broke no rule, by outcome: extended, reorganised, side, orphan, duplicate.',
      labelNames: ['outcome'],
      registers,
    });
    this.rejected = new Counter({
      name: 'minichain_blocks_rejected_total',
      help: 'Blocks that broke a rule, by its code.',
      labelNames: ['code'],
      registers,
    });
    this.connected = new Counter({
      name: 'minichain_blocks_connected_total',
      help: 'Blocks that entered the active chain.',
      registers,
    });
    this.reorgDepth = new Histogram({
      name: 'minichain_reorg_depth_blocks',
      help: 'Blocks that left the active chain in a reorganisation.',
      buckets: [1, 2, 3, 5, 10, 20, 50, 100, 1000],
      registers,
    });
    this.reorgsRefused = new Counter({
      name: 'minichain_reorgs_refused_total',
      help: 'Branches that were refused by a checkpoint, or with more work because of max_reorg_depth, by reason.',
      labelNames: ['reason'],
      registers,
    });
    this.acceptSeconds = new Histogram({
      name: 'minichain_block_accept_duration_seconds',
      help: 'Time of one call that takes in one block or a batch of them, commit included.',
      labelNames: ['call'],
      buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3],
      registers,
    });
    // A series that begins with its first event hides that event from rate() and increase().
    for (const outcome of Object.keys(OUTCOMES)) this.accepted.inc({ outcome }, 0);
    for (const code of RULE_CODES) this.rejected.inc({ code }, 0);
    for (const reason of ['checkpoint', 'max_reorg_depth']) this.reorgsRefused.inc({ reason }, 0);
    for (const call of ['one', 'batch']) this.acceptSeconds.zero({ call });
  }

  /** Registers the gauges that mirror the chain. */
  watch(chain: ChainGauges): void {
    this.#gauge('minichain_chain_height', 'Height of the active tip.', () => chain.tip.height);
    this.#gauge('minichain_chain_work', 'Expected hashes behind the active chain.', () => Number(chain.tip.chainWork));
    this.#gauge('minichain_tip_age_seconds', 'Time since the active tip was mined, by its header.', () =>
      Math.max(0, nowSeconds(this.clock) - chain.tip.time),
    );
    this.#gauge(
      'minichain_chain_tip_fingerprint',
      'Last 48 bits of the hash of the active tip: the same on two nodes when their tips are.',
      () => fingerprint(chain.tip),
    );
    this.#gauge(
      'minichain_chain_settled_fingerprint',
      'Fingerprint of what was the tip 15 to 45 s ago, by the times in the headers: the same on nodes that agree, however fast blocks come.',
      () => fingerprint(settled(chain.tip, nowSeconds(this.clock))),
    );
    this.#gauge('minichain_orphan_blocks', 'Blocks kept whose parent is unknown.', () => chain.orphanCount);
    this.#gauge('minichain_orphan_bytes', 'Bytes of the blocks kept whose parent is unknown.', () => chain.orphanBytes);
  }

  #gauge(name: string, help: string, read: () => number): void {
    mirrorGauge(this.registry, name, help, read);
  }
}

/** As much of a hash as a sample holds exactly: a double has 53 bits. */
function fingerprint({ hash }: BlockNode): number {
  return Number.parseInt(hash.slice(-12), 16);
}

function settled(tip: BlockNode, now: number): BlockNode {
  const past = now - SETTLING_SECONDS;
  const until = past - (past % COMPARED_EVERY_SECONDS);
  let node = tip;
  while (node.parent !== undefined && node.time > until) node = node.parent;
  return node;
}
