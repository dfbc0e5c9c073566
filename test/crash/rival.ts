import { systemClock } from '../../src/common/clock.js';
import { medianTimePast, type BlockNode } from '../../src/consensus/block-tree.js';
import type { Block } from '../../src/consensus/block.js';
import { hashHeader, decodeHeader } from '../../src/consensus/header.js';
import type { ConsensusParams } from '../../src/consensus/params.js';
import type { Transaction } from '../../src/consensus/transaction.js';
import { decodeWireBlock, encodeHashes, encodeTip, LIMITS } from '../../src/peers/wire.js';
import { acceptBatch, mineOn, nodeOf, openChain } from '../support/chain-builders.js';
import { connectGrpcPeer, type GrpcPeer } from '../support/grpc-peer.js';
import { serving } from '../support/scripted-peer.js';
import type { SeededRandom } from '../support/seeded-random.js';

const ANSWER_MS = 5_000;
const BLOCKS_PER_REQUEST = 200;

/** A miner with a chain of its own that makes a node reorganise: over real gRPC, by announcing and serving longer branches. */
export class Rival {
  readonly #own: ReturnType<typeof openChain>;
  #peer: GrpcPeer | undefined;
  #served = 0;

  constructor(
    private readonly params: ConsensusParams,
    private readonly random: SeededRandom,
  ) {
    this.#own = openChain({ params, clock: systemClock });
  }

  /** How many requests for blocks it has answered. */
  get served(): number {
    return this.#served;
  }

  get tip(): BlockNode {
    return this.#own.chain.tip;
  }

  async connect(address: string): Promise<void> {
    const handlers = serving(this.#own.chain);
    this.#peer = await connectGrpcPeer(
      address,
      this.params,
      {
        ...handlers,
        getBlocks: (message) => {
          this.#served++;
          return handlers.getBlocks!(message);
        },
        newBlock: () => undefined,
      },
      'rival',
    );
  }

  /** Fetches what the node has and the rival has not. */
  async follow(): Promise<void> {
    const { chain } = this.#own;
    const { session } = this.#peer!;
    const value = { locator: encodeHashes(chain.locator()), stopHash: Buffer.alloc(0) };
    const { headers } = await session.request({ $case: 'getHeaders', value }, 'headers', ANSWER_MS);
    const wanted = headers
      .map(({ raw }) => hashHeader(decodeHeader(raw)))
      .filter((hash) => chain.node(hash) === undefined);
    for (let start = 0; start < wanted.length;) {
      const hashes = encodeHashes(wanted.slice(start, start + BLOCKS_PER_REQUEST));
      const request = { $case: 'getBlocks', value: { hashes, startIndex: 0, limit: 0 } } as const;
      const answer = await session.request(request, 'blocks', ANSWER_MS);
      const blocks = answer.blocks.map(({ raw }) => decodeWireBlock(raw));
      if (blocks.length === 0) return;
      const { error } = acceptBatch(chain, blocks);
      if (error !== undefined) throw error;
      start += blocks.length;
    }
    if (headers.length === LIMITS.headers) await this.follow();
  }

  /**
   * Mines a branch that leaves the active chain `depth` blocks below its tip and has `lead` blocks more, with some of the
   * entries of the blocks that it replaces and some of its own, and announces its end.
   */
  overtake(depth: number, lead: number): void {
    const { chain } = this.#own;
    const { tip } = chain;
    const fork = chain.nodeAt(Math.max(0, tip.height - depth))!;
    const replaced = chain.getBlocks(fork.height + 1, depth).flatMap(({ transactions }) => transactions.slice(1));
    const blocks: Block[] = [];
    let at = fork;
    for (let left = tip.height - fork.height + lead; left > 0; left--) {
      const again: Transaction[] = [];
      while (replaced.length > 0 && again.length < 20 && this.random.next() < 0.8) {
        const next = replaced.shift()!;
        if (this.random.next() < 0.7) again.push(next);
      }
      const own = Array.from({ length: 2 }, () => `rival ${'r'.repeat(this.random.below(900))}`);
      const block = mineOn(at, [...again, ...own], {
        params: this.params,
        time: medianTimePast(at, this.params.medianTimeSpan) + 1,
      });
      blocks.push(block);
      at = nodeOf(block, at);
    }
    const { error } = acceptBatch(chain, blocks);
    if (error !== undefined) throw error;
    const value = { block: { raw: blocks.at(-1)!.bytes }, tip: encodeTip(chain.tip) };
    this.#peer!.session.notify({ $case: 'newBlock', value });
  }

  disconnect(): void {
    this.#peer?.session.close('done');
    this.#peer = undefined;
  }

  close(): void {
    this.disconnect();
    this.#own.close();
  }
}
