import { RuleError, type RuleCode } from '../../src/consensus/rule-error.js';

/** The code of the rule that `attempt` breaks, undefined where it breaks none; any other error is passed on. */
export function brokenRule(attempt: () => unknown): RuleCode | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof RuleError) return error.code;
    throw error;
  }
}
