import { SteppedCheck, turnAllowance, type CheckingChain } from '../chain/stepped-check.js';
import type { Turns } from '../common/turns.js';
import type { Block } from '../consensus/block.js';
import type { Transaction } from '../consensus/transaction.js';
import type { SignatureAllowance, VerifiedBlock } from '../consensus/verify-block.js';
import { openWireBlock } from './wire.js';

/** One step decodes and hashes no more than this: some tens of milliseconds on a busy machine. */
const STEP_TRANSACTIONS = 2_000;

/** Decodes a block of a peer, checks it and looks its entries up, in steps between which the event loop can serve others. */
export class SteppedVerification {
  readonly #block: ReturnType<typeof openWireBlock>;
  readonly #rest: Iterator<Transaction>;
  readonly #transactions: Transaction[] = [];
  #isDecoded = false;
  #check: SteppedCheck | undefined;

  /** @throws RuleError as decodeWireBlock, for the header and the count. */
  constructor(
    raw: Uint8Array,
    private readonly chain: CheckingChain,
  ) {
    this.#block = openWireBlock(raw);
    this.#rest = this.#block.transactions[Symbol.iterator]();
  }

  /** Number of transactions. */
  get count(): number {
    return this.#block.count;
  }

  /** @returns the block after the last step. @throws RuleError as decodeWireBlock and ChainService.verify. */
  step(allowance: SignatureAllowance = turnAllowance()): VerifiedBlock | undefined {
    if (!this.#isDecoded) {
      this.#decode();
      // Checking as many as one step decodes takes about as long again.
      if (!this.#isDecoded || this.#isBig) return undefined;
    }
    this.#check ??= new SteppedCheck(this.#decoded, this.#isBig, this.chain);
    return this.#check.step(allowance);
  }

  get #decoded(): Block {
    const { hash, header, bytes } = this.#block;
    return { hash, header, bytes, transactions: this.#transactions };
  }

  get #isBig(): boolean {
    return this.#transactions.length > STEP_TRANSACTIONS;
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

/**
 * Verifies a block of a peer in as many turns of the event loop as it should take.
 * @throws RuleError as decodeWireBlock and ChainService.verify.
 */
export async function verifyInTurns(raw: Uint8Array, chain: CheckingChain, turns: Turns): Promise<VerifiedBlock> {
  const verification = new SteppedVerification(raw, chain);
  for (;;) {
    const block = verification.step();
    await turns.next();
    if (block !== undefined) return block;
  }
}
