import type { ChainService } from '../chain/chain.service.js';
import type { Clock, Timer } from '../common/clock.js';
import type { Logger } from '../common/logger.js';
import type { Turns } from '../common/turns.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { HEADER_BYTES, decodeHeader, hashHeader } from '../consensus/header.js';
import { RuleError } from '../consensus/rule-error.js';
import { WireError } from './messages.js';
import type { Peer } from './peer.js';
import { RequestFailedError } from './session.js';
import { verifyInTurns } from './stepped-verification.js';
import { encodeHashes } from './wire.js';

const ANSWER_MS = 10_000;
const RETRY_MS = 10_000;

export interface BlockRepairInit {
  readonly chain: ChainService;
  readonly clock: Clock;
  readonly log: Logger;
  readonly turns: Turns;
  readonly peers: () => readonly Peer[];
  readonly blame: (peer: Peer, error: RuleError | WireError) => void;
}

/** Fetches stored blocks that changed on this node's disk again, from any peer that has them, until all are whole. */
export class BlockRepair {
  readonly #given: BlockRepairInit;
  #timer: Timer | undefined;
  #isRunning = false;
  #isStopped = false;
  #unsubscribe: (() => void) | undefined;

  constructor(given: BlockRepairInit) {
    this.#given = given;
  }

  start(): void {
    this.#unsubscribe = this.#given.chain.events.on('damaged', () => this.#schedule(0));
    this.#schedule(0);
  }

  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe?.();
    this.#timer?.cancel();
  }

  /** There is a new peer, which may have what the others lack. */
  connected(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#schedule(0);
  }

  #schedule(delayMs: number): void {
    if (this.#isStopped || this.#isRunning || this.#given.chain.damagedBlocks.size === 0) return;
    this.#timer ??= this.#given.clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#run().catch((error: unknown) => this.#given.log.error({ err: error }, 'Repair of damaged blocks failed'));
    });
  }

  async #run(): Promise<void> {
    const { chain } = this.#given;
    this.#isRunning = true;
    try {
      for (const node of chain.damagedBlocks) {
        if (node === chain.genesis) chain.mendGenesis();
        else await this.#repair(node);
      }
    } finally {
      this.#isRunning = false;
      this.#schedule(RETRY_MS);
    }
  }

  async #repair(node: BlockNode): Promise<void> {
    const { chain, log, peers, blame } = this.#given;
    for (const peer of peers()) {
      if (this.#isStopped) return;
      try {
        if (await this.#fetch(peer, node)) return;
      } catch (error) {
        if (error instanceof RuleError || error instanceof WireError) blame(peer, error);
        else if (!(error instanceof RequestFailedError)) throw error;
      }
    }
    if (chain.damagedBlocks.has(node)) {
      log.warn({ hash: node.hash, height: node.height }, `No peer has block ${node.height}, which is damaged here`);
    }
  }

  /** @returns whether the block is whole again. @throws RequestFailedError, RuleError, WireError; faults of our own. */
  async #fetch(peer: Peer, node: BlockNode): Promise<boolean> {
    const { chain, turns } = this.#given;
    const value = { hashes: encodeHashes([node.hash]), startIndex: 0, limit: 0 };
    const { blocks } = await peer.session.request({ $case: 'getBlocks', value }, 'blocks', ANSWER_MS);
    const [answer] = blocks;
    if (answer === undefined) return false;
    const hash = hashHeader(decodeHeader(answer.raw.subarray(0, HEADER_BYTES)));
    if (hash !== node.hash) throw new WireError('unrequested-data', `block ${hash} was not asked for`);
    chain.mend(await verifyInTurns(answer.raw, chain, turns));
    return true;
  }
}
