import { signal } from '@preact/signals';
import type { EntryEvent, NodeEvent } from './wire.js';

/** How far an entry has come at one node. Times are by that node's clock, in milliseconds since the epoch. */
export interface Stage {
  readonly pendingMs: number | undefined;
  readonly confirmedMs: number | undefined;
  /** The block that holds it. */
  readonly height: number | undefined;
}

/** An entry that was posted on this page, and how it travels. */
export interface Followed {
  readonly id: string;
  readonly data: string;
  readonly byNode: ReadonlyMap<string, Stage>;
}

export const followed = signal<Followed | undefined>(undefined);

/** The answer to a post can come after the events about it. */
const RECENT = 500;
const recent: { readonly nodeId: string; readonly event: EntryEvent }[] = [];

export function followEntry(id: string, data: string): void {
  followed.value = { id, data, byNode: new Map() };
  for (const { nodeId, event } of recent) advance(nodeId, event);
}

export function followEntries(nodeId: string, event: NodeEvent): void {
  if (event.type !== 'entry') return;
  recent.push({ nodeId, event });
  if (recent.length > RECENT) recent.shift();
  advance(nodeId, event);
}

function advance(nodeId: string, { ids, state, atMs, block }: EntryEvent): void {
  const entry = followed.value;
  if (entry === undefined || !ids.includes(entry.id)) return;
  const before = entry.byNode.get(nodeId);
  const stage: Stage =
    state === 'confirmed'
      ? { pendingMs: before?.pendingMs, confirmedMs: atMs, height: block?.height }
      : { pendingMs: before?.pendingMs ?? atMs, confirmedMs: undefined, height: undefined };
  followed.value = { ...entry, byNode: new Map(entry.byNode).set(nodeId, stage) };
}
