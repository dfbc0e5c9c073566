import type { ChainService } from '../chain/chain.service.js';
import { TURN_SIGNATURES } from '../chain/signature-memory.js';
import type { LookAhead } from '../chain/entry-index.js';
import type { Turns } from '../common/turns.js';
import type { Transaction } from '../consensus/transaction.js';
import type { BlockVerification, SignatureAllowance, VerifiedBlock } from '../consensus/verify-block.js';
import { openWireBlock } from './wire.js';

/** One step decodes and hashes no more than this: some tens of milliseconds on a busy machine. */
const STEP_TRANSACTIONS = 2_000;
/** What one turn of the event loop may check. */
export function turnAllowance(): SignatureAllowance {
  return { left: TURN_SIGNATURES };
}

/** Decodes a block of a peer, checks it and looks its entries up, in steps between which the event loop can serve others. */
export class SteppedVerification {
  readonly #block: ReturnType<typeof openWireBlock>;
  readonly #rest: Iterator<Transaction>;
  readonly #transactions: Transaction[] = [];
  #isDecoded = false;
  #verification: Pick<BlockVerification, 'step'> | undefined;
  #verified: VerifiedBlock | undefined;
  #lookAhead: LookAhead | undefined;

  /** @throws RuleError as decodeWireBlock, for the header and the count. */
  constructor(
    raw: Uint8Array,
    private readonly chain: Pick<ChainService, 'verification' | 'lookAhead'>,
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
    if (this.#verified === undefined) {
      this.#verified = this.#verify(allowance);
      return this.#isBig ? undefined : this.#verified;
    }
    this.#lookAhead ??= this.chain.lookAhead(this.#verified);
    this.#lookAhead.step();
    return this.#lookAhead.isDone ? this.#verified : undefined;
  }

  get #isBig(): boolean {
    return this.#transactions.length > STEP_TRANSACTIONS;
  }

  #verify(allowance: SignatureAllowance): VerifiedBlock | undefined {
    if (this.#verification === undefined) {
      const { hash, header, bytes } = this.#block;
      this.#verification = this.chain.verification({ hash, header, bytes, transactions: this.#transactions });
      // All other rules of a big block are enough for one step.
      if (this.#isBig) return this.#verification.step({ left: 0 });
    }
    return this.#verification.step(allowance);
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
export async function verifyInTurns(
  raw: Uint8Array,
  chain: Pick<ChainService, 'verification' | 'lookAhead'>,
  turns: Turns,
): Promise<VerifiedBlock> {
  const verification = new SteppedVerification(raw, chain);
  for (;;) {
    const block = verification.step();
    await turns.next();
    if (block !== undefined) return block;
  }
}
