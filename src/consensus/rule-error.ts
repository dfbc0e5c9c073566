/**
 * What a broken rule says of the block, and so what is remembered of it:
 * - `forever`: the block breaks the rule for good, and its header has proof of work. The verdict is stored.
 * - `until-restart`: it hangs on local policy, or on the verdict on an ancestor. Stored, and dropped at the next start.
 * - `body`: only the body that came is wrong. The header may belong to another, honest body, so nothing is remembered
 *   (CVE-2012-2459, CVE-2017-12842; Bitcoin Core's BLOCK_MUTATED).
 * - `for-now`: the block may become valid as time passes. Nothing is remembered.
 * - `unpaid`: the header has no proof of work. Nothing is remembered: that would let anyone fill the disk for free.
 */
export type Verdict = 'forever' | 'until-restart' | 'body' | 'for-now' | 'unpaid';

/**
 * Every rule that a header, block or transaction can break, with its verdict. The same code is the log field, the metric
 * label, the `code` of a REST error, the Verdict on the wire and the key of a peer's penalty. Where Bitcoin Core has a
 * reject reason for the rule, its word is used. The numbered list stands in README.md beside this file.
 */
export const RULES = {
  'bad-header-encoding': 'unpaid',
  'high-hash': 'unpaid',
  'bad-prevblk': 'until-restart',
  'bad-diffbits': 'forever',
  'checkpoint-mismatch': 'until-restart',
  'time-too-old': 'forever',
  'time-too-new': 'for-now',
  // Found while decoding, before the header's Merkle root has shown that the body is its own.
  'bad-blk-encoding': 'body',
  'bad-blk-count': 'body',
  'bad-txn-encoding': 'body',
  'bad-txn-kind': 'body',
  'bad-txn-timestamp': 'body',
  'bad-txn-data-encoding': 'body',
  'bad-cb-miner': 'body',
  'bad-txnmrklroot': 'body',
  'bad-txns-duplicate': 'body',
  'bad-txn-64-bytes': 'body',
  // From here on the body is known to be the header's own.
  'bad-blk-length': 'forever',
  'bad-cb-missing': 'forever',
  'bad-cb-multiple': 'forever',
  'bad-cb-height': 'forever',
  'bad-txn-salt': 'forever',
  'bad-txn-data-empty': 'forever',
  'bad-txn-data-length': 'forever',
  'bad-sig-key': 'forever',
  'bad-sig-encoding': 'forever',
  'bad-sig': 'forever',
  'txn-already-in-chain': 'forever',
} as const satisfies Readonly<Record<string, Verdict>>;

export type RuleCode = keyof typeof RULES;

export const RULE_CODES = Object.keys(RULES) as readonly RuleCode[];

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

  get verdict(): Verdict {
    return RULES[this.code];
  }

  /** Is it certain that the block itself breaks a rule, so that every descendant is invalid too? */
  get condemnsBlock(): boolean {
    return this.verdict === 'forever' || this.verdict === 'until-restart';
  }
}
