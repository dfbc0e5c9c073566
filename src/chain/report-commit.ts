import type { Logger } from '../common/logger.js';
import type { AcceptOutcome, StoredBlock, TipChange } from './chain.events.js';
import type { ChainMetrics } from './chain.metrics.js';

/** What one commit came to. */
export interface CommitResult {
  /** Of the blocks handed in. */
  readonly outcomes: readonly AcceptOutcome[];
  /** These, adopted orphans included. */
  readonly stored: readonly StoredBlock[];
  readonly change: TipChange | undefined;
}

/** Counts and logs a commit. */
export function reportCommit({ outcomes, stored, change }: CommitResult, metrics: ChainMetrics, log: Logger): void {
  for (const { kind } of outcomes) {
    if (kind === 'orphan' || kind === 'duplicate') metrics.accepted.inc({ outcome: kind });
  }
  for (const { block, outcome } of stored) {
    metrics.accepted.inc({ outcome: outcome.kind });
    if (outcome.kind === 'reorganised') metrics.reorgDepth.observe(outcome.depth);
    if (outcome.kind === 'side') {
      log.debug({ hash: block.hash, height: outcome.node.height }, `Side block ${outcome.node.height} stored`);
    }
  }
  if (change === undefined) return;
  const { tip, forkPoint, connected, disconnected } = change;
  metrics.connected.inc(connected.length);
  const facts = { height: tip.height, hash: tip.hash, connected: connected.length };
  // Whoever mined or received a block logs it; only here is a change of branch seen as such.
  if (disconnected.length === 0) log.debug(facts, `Chain extended to block ${tip.height}`);
  else {
    log.info(
      { ...facts, disconnected: disconnected.length, forkHeight: forkPoint.height },
      `Reorganisation after block ${forkPoint.height}: ${disconnected.length} disconnected, ${connected.length} connected; new tip ${tip.height}`,
    );
  }
}
