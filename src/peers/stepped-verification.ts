import type { ChainService } from '../chain/chain.service.js';
import type { LookAhead } from '../chain/entry-index.js';
import type { Transaction } from '../consensus/transaction.js';
import type { VerifiedBlock } from '../consensus/verify-block.js';
import { openWireBlock } from './wire.js';

/** One step decodes and hashes no more than this: some tens of milliseconds on a busy machine. */
const STEP_TRANSACTIONS = 2_000;

/** Decodes a block of a peer, checks it and looks its entries up, in steps between which the event loop can serve others. */
export class SteppedVerification {
  readonly #block: ReturnType<typeof openWireBlock>;
  readonly #rest: Iterator<Transaction>;
  readonly #transactions: Transaction[] = [];
  #isDecoded = false;
  #verified: VerifiedBlock | undefined;
  #lookAhead: LookAhead | undefined;

  /** @throws RuleError as decodeWireBlock, for the header and the count. */
  constructor(
    raw: Uint8Array,
    private readonly chain: Pick<ChainService, 'verify' | 'lookAhead'>,
  ) {
    this.#block = openWireBlock(raw);
    this.#rest = this.#block.transactions[Symbol.iterator]();
  }

  /** Number of transactions. */
  get count(): number {
    return this.#block.count;
  }

  /** @returns the block after the last step. @throws RuleError as decodeWireBlock and ChainService.verify. */
  step(): VerifiedBlock | undefined {
    if (!this.#isDecoded) {
      this.#decode();
      // Checking as many as one step decodes takes about as long again.
      if (!this.#isDecoded || this.#transactions.length > STEP_TRANSACTIONS) return undefined;
    }
    if (this.#verified === undefined) {
      const { hash, header, bytes } = this.#block;
      this.#verified = this.chain.verify({ hash, header, bytes, transactions: this.#transactions });
      return this.#transactions.length <= STEP_TRANSACTIONS ? this.#verified : undefined;
    }
    this.#lookAhead ??= this.chain.lookAhead(this.#verified);
    this.#lookAhead.step();
    return this.#lookAhead.isDone ? this.#verified : undefined;
  }

  #decode(): void {
    for (let count = 0; count < STEP_TRANSACTIONS; count++) {
      const next = this.#rest.next();
      this.#isDecoded = next.done === true;
      if (next.done === true) return;
      this.#transactions.push(next.value);
    }
  }
}
