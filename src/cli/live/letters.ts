import { lettersFor } from '../../common/words.js';
import { nodeName } from '../format.js';
import type { NetworkView } from './network-view.js';
import { NODE_STYLES, type Style } from './paint.js';

/** A letter for each node, the same as on the page. */
export type Letters = ReadonlyMap<string, { readonly letter: string; readonly style: Style }>;

const STRANGER = '?';

export function lettersOf({ nodes }: Pick<NetworkView, 'nodes'>): Letters {
  const ids = nodes.map(({ nodeId }) => nodeId);
  for (const { peers } of nodes) for (const { id } of peers) if (id !== null) ids.push(nodeName(id));
  const styled = [...lettersFor(ids)].map(
    ([id, { letter, place }]) => [id, { letter, style: NODE_STYLES[place % NODE_STYLES.length]! }] as const,
  );
  return new Map(styled);
}

export function letterOf(letters: Letters, nodeId: string): string {
  return letters.get(nodeId)?.letter ?? STRANGER;
}
