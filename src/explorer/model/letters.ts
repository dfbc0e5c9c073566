import { computed } from '@preact/signals';
import { nodes, standings } from './network.js';

/** Okabe and Ito's colours, which people with any colour vision can tell apart, in an order that keeps neighbours apart. */
const COLOURS = 7;

/** Letter and colour of a node; the same on every page of the network, since all sort the same names. */
export interface Badge {
  readonly letter: string;
  /** 0 to 6, the number of a colour in the style sheet; undefined for a miner that no node here is. */
  readonly colour: number | undefined;
}

const STRANGER: Badge = { letter: '·', colour: undefined };

const badges = computed(() => {
  const ids = new Set(standings.value.map(({ nodeId }) => nodeId));
  for (const { peers } of nodes.value) for (const { id } of peers) if (id !== null) ids.add(id);
  const sorted = [...ids].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return new Map(sorted.map((id, i): [string, Badge] => [id, { letter: letterOf(i), colour: i % COLOURS }]));
});

export function badgeOf(nodeId: string): Badge {
  return badges.value.get(nodeId) ?? STRANGER;
}

/** A to Z, then AA and so on. */
function letterOf(index: number): string {
  const last = String.fromCodePoint(65 + (index % 26));
  return index < 26 ? last : letterOf(Math.floor(index / 26) - 1) + last;
}
