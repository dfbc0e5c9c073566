/** How much may wait in the mempool at once. */
export interface MempoolLimits {
  readonly maxTransactions: number;
  /** Of all transactions together, encoded. */
  readonly maxBytes: number;
}

export interface MempoolUsage {
  readonly transactions: number;
  readonly bytes: number;
}

/** When a poster that was refused should try again: blocks come within seconds, and each makes room. */
export const RETRY_AFTER_SECONDS = 10;

/**
 * What comes by gossip may fill four fifths of the mempool; the rest is kept for posts. A flood from the network can
 * so never be the reason why this node turns its own users away, until they have filled that share themselves.
 */
export function limitsForGossip({ maxTransactions, maxBytes }: MempoolLimits): MempoolLimits {
  return { maxTransactions: Math.ceil(maxTransactions * 0.8), maxBytes: Math.ceil(maxBytes * 0.8) };
}

/** Is there room for `more` beside what is there? What is in the mempool is never pushed out to make some. */
export function hasRoom(usage: MempoolUsage, more: MempoolUsage, limits: MempoolLimits): boolean {
  return (
    usage.transactions + more.transactions <= limits.maxTransactions && usage.bytes + more.bytes <= limits.maxBytes
  );
}
