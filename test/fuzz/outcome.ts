import { RuleError } from '../../src/consensus/rule-error.js';
import { WireError } from '../../src/peers/messages.js';
import { ProofError } from '../../src/proofs/offline/proof-error.js';
import type { Outcome } from './fuzz.js';

const REFUSALS = [RuleError, WireError, ProofError];

/** Runs a decoder: a broken rule or a proof that does not hold is a refusal, anything else that is thrown comes out. */
export function outcomeOf(decode: () => void): Outcome {
  try {
    decode();
    return 'accepted';
  } catch (error) {
    if (REFUSALS.some((kind) => error instanceof kind)) return 'rejected';
    throw error;
  }
}

export function check(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what);
}
