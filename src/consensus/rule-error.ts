/**
 * Every rule that a header, block or transaction can break. The same code is the log field, the metric label, the
 * `code` of a REST error, the Verdict on the wire and the key of a peer's penalty. Where Bitcoin Core has a reject
 * reason for the rule, its word is used. The numbered list stands in README.md beside this file.
 */
export const RULE_CODES = [
  'high-hash',
  'bad-diffbits',
  'time-too-old',
  'time-too-new',
  'bad-prevblk',
  'checkpoint-mismatch',
  'bad-header-encoding',
  'bad-blk-encoding',
  'bad-blk-length',
  'bad-txnmrklroot',
  'bad-txns-duplicate',
  'bad-cb-missing',
  'bad-cb-multiple',
  'bad-cb-height',
  'bad-cb-miner',
  'bad-txn-encoding',
  'bad-txn-kind',
  'bad-txn-64-bytes',
  'bad-txn-salt',
  'bad-txn-data-empty',
  'bad-txn-data-length',
  'bad-txn-data-encoding',
  'txn-already-in-chain',
] as const;

export type RuleCode = (typeof RULE_CODES)[number];

/** Facts about a broken rule (what was found, what would have been right); JSON-safe, for logs and REST bodies. */
export type RuleData = Readonly<Record<string, string | number | boolean>>;

/** A consensus rule is broken. Thrown by every `check*` and `decode*`; never used for faults of our own. */
export class RuleError extends Error {
  override readonly name = 'RuleError';

  constructor(
    readonly code: RuleCode,
    message: string,
    readonly data: RuleData = {},
  ) {
    super(message);
  }
}
