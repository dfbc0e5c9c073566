import { signal } from '@preact/signals';
import { announce } from './announce.js';
import { count, plural } from './format.js';
import type { Place, Reorg, TipEvent } from './wire.js';

/** A reorganisation that the page saw. */
export interface ReorgRecord {
  readonly nodeId: string;
  readonly atMs: number;
  readonly fork: Place;
  readonly previous: Place;
  readonly tip: Place;
  /** Blocks that left the active chain of the node. */
  readonly depth: number;
  /** Entries that went back to the mempool. */
  readonly returned: number | null;
}

const MOST_KEPT = 20;

/** Newest first. */
export const reorgs = signal<readonly ReorgRecord[]>([]);

export function recordReorg(nodeId: string, { tip, previous, atMs }: TipEvent, reorg: Reorg): ReorgRecord {
  const record: ReorgRecord = { nodeId, atMs, tip, previous, ...reorg };
  reorgs.value = [record, ...reorgs.value].slice(0, MOST_KEPT);
  announce(describeReorg(record));
  return record;
}

export function connectedBlocks({ tip, fork }: ReorgRecord): number {
  return tip.height - fork.height;
}

/** "node-1 changed branch after block 9: 2 blocks disconnected, 3 connected. 1 entry went back to the mempool." */
export function describeReorg(record: ReorgRecord): string {
  const { nodeId, fork, depth, returned } = record;
  const moved = `${plural(depth, 'block')} disconnected, ${count(connectedBlocks(record))} connected`;
  const back =
    returned === null || returned === 0 ? '' : ` ${plural(returned, 'entry', 'entries')} went back to the mempool.`;
  return `${nodeId} changed branch after block ${count(fork.height)}: ${moved}.${back}`;
}
