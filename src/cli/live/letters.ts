import { printable } from '../format.js';
import type { NetworkView } from './network-view.js';
import { NODE_STYLES, type Style } from './paint.js';

/** A letter for each node, the same as on the page: all sort the same names. */
export type Letters = ReadonlyMap<string, { readonly letter: string; readonly style: Style }>;

const MAX_ID_CHARS = 64;
const STRANGER = '?';

export function lettersOf({ nodes }: Pick<NetworkView, 'nodes'>): Letters {
  const ids = new Set(nodes.map(({ nodeId }) => nodeId));
  for (const { peers } of nodes) {
    for (const { id } of peers) if (id !== null) ids.add(printable(id, MAX_ID_CHARS));
  }
  const sorted = [...ids].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return new Map(sorted.map((id, at) => [id, { letter: numbered(at), style: NODE_STYLES[at % NODE_STYLES.length]! }]));
}

export function letterOf(letters: Letters, nodeId: string): string {
  return letters.get(nodeId)?.letter ?? STRANGER;
}

/** A to Z, then AA and so on. */
function numbered(at: number): string {
  const last = String.fromCodePoint(65 + (at % 26));
  return at < 26 ? last : numbered(Math.floor(at / 26) - 1) + last;
}
