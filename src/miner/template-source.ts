import type { ChainService } from '../chain/chain.service.js';
import type { Clock } from '../common/clock.js';
import type { Random } from '../common/random.js';
import { MAX_BLOCK_TRANSACTIONS } from '../consensus/block.js';
import type { Selection } from '../mempool/entry-selection.js';
import type { MempoolService } from '../mempool/mempool.service.js';
import { buildTemplate, type BlockTemplate } from './block-template.js';

export interface TemplateSourceOptions {
  readonly chain: ChainService;
  readonly mempool: MempoolService;
  readonly clock: Clock;
  readonly random: Random;
  /** Node id, which each coinbase names. */
  readonly miner: string;
}

/** Builds templates on the tip from what the mempool holds. */
export class TemplateSource {
  readonly #options: TemplateSourceOptions;
  #extraNonce: bigint;

  constructor(options: TemplateSourceOptions) {
    this.#options = options;
    // Random, so that no two nodes search the same header, not even two with the same id.
    this.#extraNonce = Buffer.from(options.random.bytes(8)).readBigUInt64LE();
  }

  /** Each template has an extra nonce of its own, so that no header is searched twice, also after its nonces ran out. */
  async next(): Promise<BlockTemplate> {
    const { chain, mempool, clock, miner } = this.#options;
    const { params } = chain;
    let selected: Selection;
    do selected = await mempool.select(params.maxBlockBytes, MAX_BLOCK_TRANSACTIONS - 1);
    while (selected.parent !== chain.tip);
    this.#extraNonce = BigInt.asUintN(64, this.#extraNonce + 1n);
    return buildTemplate({
      parent: selected.parent,
      transactions: selected.entries,
      params,
      miner,
      extraNonce: this.#extraNonce,
      nowMs: clock.nowMs(),
    });
  }
}
