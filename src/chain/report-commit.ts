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
    if (outcome.kind === 'side') log.debug({ hash: block.hash, height: outcome.node.height }, 'side block stored');
  }
  if (change === undefined) return;
  const { tip, forkPoint, connected, disconnected } = change;
  metrics.connected.inc(connected.length);
  const facts = { height: tip.height, hash: tip.hash, connected: connected.length };
  // Who mined or received a block tells of it; a change of branch nobody else sees as such.
  if (disconnected.length === 0) log.debug(facts, 'chain extended');
  else {
    log.info(
      { ...facts, disconnected: disconnected.length, forkHeight: forkPoint.height },
      `Reorganised above block ${forkPoint.height}: ${disconnected.length} off, ${connected.length} on, the tip is block ${tip.height}`,
    );
  }
}
