import type { Block } from '../consensus/block.js';
import type { BlockVerification, SignatureAllowance, VerifiedBlock } from '../consensus/verify-block.js';
import type { ChainService } from './chain.service.js';
import type { LookAhead } from './entry-index.js';
import { TURN_SIGNATURES } from './signature-memory.js';

/** What a stepped check needs of the chain. */
export type CheckingChain = Pick<ChainService, 'verification' | 'lookAhead'>;

/** What one turn of the event loop may check. */
export function turnAllowance(): SignatureAllowance {
  return { left: TURN_SIGNATURES };
}

/** Checks a block and, if it is big, looks its entries up, in steps between which the event loop can serve others. */
export class SteppedCheck {
  readonly #verification: Pick<BlockVerification, 'step'>;
  #isBegun = false;
  #verified: VerifiedBlock | undefined;
  #lookAhead: LookAhead | undefined;

  /** @param isBig if so, all rules but the signatures take a step of their own, and looking its entries up takes further ones. */
  constructor(
    block: Block,
    private readonly isBig: boolean,
    private readonly chain: CheckingChain,
  ) {
    this.#verification = chain.verification(block);
  }

  /**
   * @param allowance signatures that this step may check.
   * @returns the block after the last step. @throws RuleError as ChainService.verify.
   */
  step(allowance: SignatureAllowance = turnAllowance()): VerifiedBlock | undefined {
    if (this.#verified === undefined) {
      const isFirst = !this.#isBegun;
      this.#isBegun = true;
      this.#verified = this.#verification.step(isFirst && this.isBig ? { left: 0 } : allowance);
      return this.isBig ? undefined : this.#verified;
    }
    this.#lookAhead ??= this.chain.lookAhead(this.#verified);
    this.#lookAhead.step();
    return this.#lookAhead.isDone ? this.#verified : undefined;
  }
}
