import { RuleError } from '../../src/consensus/rule-error.js';
import { WireError } from '../../src/peers/messages.js';
import type { Outcome } from './fuzz.js';

/** Runs a decoder: a broken rule is a refusal, anything else that is thrown comes out. */
export function outcomeOf(decode: () => void): Outcome {
  try {
    decode();
    return 'accepted';
  } catch (error) {
    if (error instanceof RuleError || error instanceof WireError) return 'rejected';
    throw error;
  }
}

export function check(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what);
}
