import { computed } from '@preact/signals';
import { lettersFor } from '../../common/words.js';
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
  const ids = standings.value.map(({ nodeId }) => nodeId);
  for (const { peers } of nodes.value) for (const { id } of peers) if (id !== null) ids.push(id);
  return new Map(
    [...lettersFor(ids)].map(([id, { letter, place }]): [string, Badge] => [id, { letter, colour: place % COLOURS }]),
  );
});

export function badgeOf(nodeId: string): Badge {
  return badges.value.get(nodeId) ?? STRANGER;
}
