import { computed, signal } from '@preact/signals';
import { badgeOf } from '../model/letters.js';
import { blocks, home, nodes, standings } from '../model/network.js';
import { replayed } from '../model/replay.js';
import { route } from '../model/route.js';
import { drawn, extent } from './camera.js';
import { crop, layout } from './layout.js';
import type { Chip, TreeView } from './tree-block.js';

/** Heights inside of capsules that the reader opened. */
export const unfolded = signal<ReadonlySet<number>>(new Set());

/** What the layout depends on besides the blocks, as text: figures that change every second leave it as it is. */
const viewText = computed(() => {
  const replay = replayed.value;
  const chips: Chip[] = standings.value.flatMap(({ nodeId, tip }) => {
    const hash = nodeId === replay?.nodeId ? replay.hash : tip?.hash;
    return hash === undefined ? [] : [{ nodeId, hash }];
  });
  chips.sort((a, b) => badgeOf(a.nodeId).letter.localeCompare(badgeOf(b.nodeId).letter));
  const ghosts = nodes.value.flatMap(({ nodeId, searchingOn }) =>
    searchingOn === undefined || replay !== undefined ? [] : [{ nodeId, parent: searchingOn }],
  );
  const tip = replay?.hash ?? home.value?.tip?.hash ?? '';
  const selected = route.value.name === 'block' ? route.value.id : undefined;
  return JSON.stringify({ tip, chips, ghosts, selected } satisfies TreeView);
});

const view = computed<TreeView>(() => ({ ...(JSON.parse(viewText.value) as TreeView), unfolded: unfolded.value }));

/** The whole tree, laid out anew when a block, a node or a search moves. */
export const tree = computed(() => {
  void blocks.version.value;
  return layout(blocks.all(), view.value);
});

/** What is drawn of it. */
export const scene = computed(() => crop(tree.value, drawn.value));

/** Tells the camera how large the tree is. @returns a function that ends it. */
export function watchExtent(): () => void {
  return tree.subscribe(({ width, lanes }) => {
    if (extent.peek().width !== width || extent.peek().lanes !== lanes) extent.value = { width, lanes };
  });
}
