import type { Status } from '../ops/status-schemas.js';
import { count, duration } from './format.js';

/** "in sync", "no peers" (then nobody can say), or the progress of a sync. */
export function describeSync({ sync, peers }: Pick<Status, 'sync' | 'peers'>): string {
  if (sync.state === 'idle') return peers.connected > 0 ? 'in sync' : 'no peers';
  return describeSyncState(sync);
}

/** "blocks 45 %, 4,500 of 10,000, 820 blocks/s, 7 s left" */
export function describeSyncState(sync: Status['sync']): string {
  const parts = [`${sync.state} ${Math.floor(sync.progress * 100)} %`];
  parts.push(`${count(sync.height)} of ${count(sync.targetHeight)}`);
  if (sync.blocksPerSecond > 0) parts.push(`${count(Math.round(sync.blocksPerSecond))} blocks/s`);
  if (sync.etaSeconds !== null) parts.push(`${duration(sync.etaSeconds * 1000)} left`);
  return parts.join(', ');
}
