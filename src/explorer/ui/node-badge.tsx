import type { JSX } from 'preact';
import { badgeOf } from '../model/letters.js';
import { excerpt } from '../model/printable.js';

const MOST_NAME = 24;

/** The class that gives an element the colour of a node. */
export function nodeColour(nodeId: string): string {
  const { colour } = badgeOf(nodeId);
  return colour === undefined ? 'node-stranger' : `node-${colour}`;
}

/** The letter of a node on its colour. */
export function NodeBadge({ id }: { readonly id: string }): JSX.Element {
  return (
    <span class={`badge ${nodeColour(id)}`} aria-hidden="true">
      {badgeOf(id).letter}
    </span>
  );
}

/** Letter and name. */
export function NodeName({ id }: { readonly id: string }): JSX.Element {
  return (
    <span class="node-name">
      <NodeBadge id={id} />
      <bdi>{id === '' ? 'unknown' : excerpt(id, MOST_NAME)}</bdi>
    </span>
  );
}
