import { computed, signal } from '@preact/signals';
import { isPresenting } from '../model/route.js';

/** Pixels from one column to the next, and from one lane to the next, at zoom 1. */
export const COLUMN = 100;
export const LANE = 88;
export const BOX = { width: 76, height: 48 } as const;
/** Above lane 0 there is room for the chips of the nodes. */
const TOP = 62;
const MARGIN = 28;
const PRESENT_ZOOM = 1.3;
const ZOOM = { least: 0.4, most: 1.6 } as const;

/** Size of the window on the tree, in pixels. */
export const viewport = signal({ width: 1200, height: 300 });
export const zoom = signal(isPresenting ? PRESENT_ZOOM : 1);
/** Where the reader has moved the window, in pixels at the present zoom; undefined while it follows the tip. */
const moved = signal<{ readonly x: number; readonly y: number } | undefined>(undefined);
/** Size of the whole tree: columns and lanes. */
export const extent = signal({ width: 0, lanes: 1 });

export const isFollowing = computed(() => moved.value === undefined);

/** Offset of the tree in its window. */
export const camera = computed(() => {
  const { width } = viewport.value;
  const full = extent.value.width * COLUMN * zoom.value;
  const atTip = Math.min(MARGIN, width - full - MARGIN - COLUMN * zoom.value * 0.4);
  return { x: moved.value?.x ?? atTip, y: moved.value?.y ?? TOP * zoom.value };
});

/** The part of the tree that can be seen, in columns. */
function visible(): { readonly from: number; readonly to: number } {
  const scale = COLUMN * zoom.peek();
  const { x } = camera.peek();
  return { from: -x / scale, to: (viewport.peek().width - x) / scale };
}

/** The window is drawn with so many columns to spare, so that most moves of it draw nothing. */
const SPARE = 4;

const firstColumn = computed(() => Math.floor(-camera.value.x / (COLUMN * zoom.value) / SPARE) * SPARE);
const columnCount = computed(() => Math.ceil(viewport.value.width / (COLUMN * zoom.value)) + SPARE);
const laneCount = computed(() =>
  Math.max(1, Math.ceil((viewport.value.height - camera.value.y) / (LANE * zoom.value))),
);

/** The part of the tree that is drawn, in columns and lanes. */
export const drawn = computed(() => ({
  from: firstColumn.value,
  to: firstColumn.value + columnCount.value,
  lanes: laneCount.value,
}));

export function pan(dx: number, dy: number): void {
  const { x, y } = camera.value;
  const full = extent.value.width * COLUMN * zoom.value;
  const half = viewport.value.width / 2;
  const tall = extent.value.lanes * LANE * zoom.value;
  moved.value = {
    x: clamp(x + dx, half - full, half),
    y: clamp(y + dy, Math.min(TOP, viewport.value.height - tall - MARGIN), TOP * zoom.value),
  };
}

/** Zooms so that what is at `at` (pixels from the left) stays there; at the tip, it goes on following. */
export function zoomBy(factor: number, at = viewport.value.width / 2): void {
  const before = zoom.value;
  const { x, y } = camera.value;
  const next = clamp(before * factor, ZOOM.least, ZOOM.most);
  zoom.value = next;
  if (moved.value !== undefined) moved.value = { x: at - ((at - x) * next) / before, y: (y * next) / before };
}

export function followTip(): void {
  moved.value = undefined;
}

/** Moves the window just so far that this column can be seen. */
export function reveal(column: number): void {
  const { from, to } = visible();
  const scale = COLUMN * zoom.value;
  if (column < from + 0.3) pan((from + 0.3 - column) * scale, 0);
  else if (column + 1 > to - 0.3) pan((to - 1.3 - column) * scale, 0);
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}
