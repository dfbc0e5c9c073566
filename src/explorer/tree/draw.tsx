import type { JSX } from 'preact';
import { count, list, plural } from '../model/format.js';
import { badgeOf } from '../model/letters.js';
import { excerpt } from '../model/printable.js';
import { nodeColour } from '../ui/node-badge.jsx';
import { BOX, COLUMN, LANE } from './camera.js';
import type { BlockBox, Box, Edge, GhostBox } from './tree-block.js';

/** How much of a block is drawn: the more there are, the less of each. */
export type Detail = 'full' | 'some' | 'bare';

const CAPSULE_HEIGHT = 34;
const CHIP = { radius: 12, gap: 27, rise: 25 } as const;

/** Middle of a box, in pixels at zoom 1. */
function centre({ x, width, lane }: Box): { x: number; y: number } {
  return { x: (x + width / 2) * COLUMN, y: lane * LANE + BOX.height / 2 };
}

function halfWidth(box: Box): number {
  return box.kind === 'capsule' ? (box.width * COLUMN - 24) / 2 : BOX.width / 2;
}

const at = (x: number, y: number): { transform: string } => ({ transform: `translate(${x}px, ${y}px)` });

/** From a child to its parent, as the hash in the child's header points. */
export function EdgeLine({ edge: { child, parent } }: { readonly edge: Edge }): JSX.Element {
  const from = centre(child);
  const to = centre(parent);
  const start = from.x - halfWidth(child);
  const end = to.x + halfWidth(parent) + 2;
  const bend = Math.max(18, (start - end) * 0.5);
  const path =
    from.y === to.y
      ? `M${start} ${from.y}L${end} ${to.y}`
      : `M${start} ${from.y}C${start - bend} ${from.y} ${end + bend} ${to.y} ${end} ${to.y}`;
  const state = child.kind === 'ghost' ? 'ghost' : child.state;
  return <path class={`edge ${state}`} d={path} marker-end="url(#to-parent)" />;
}

export function describe(box: Box): string {
  if (box.kind === 'capsule') return `${plural(box.count, 'block')}, ${count(box.from)} to ${count(box.to)}, folded`;
  if (box.kind === 'ghost') return `${list(box.nodeIds)} searching for block ${count(box.height)}`;
  const { block, state, chips } = box;
  const kind = { active: '', side: ', off the active chain', orphan: ', parent unknown' }[state];
  const by =
    block.height === 0
      ? 'genesis'
      : `mined by ${excerpt(block.miner, 24) || 'an unknown miner'}, ${plural(block.entries, 'entry', 'entries')}`;
  const on = chips.length === 0 ? '' : `; ${list(chips)} ${chips.length === 1 ? 'is' : 'are'} here`;
  return `Block ${count(block.height)}, ${by}${kind}${on}`;
}

interface ItemProps {
  readonly box: Box;
  readonly detail: Detail;
  readonly isSelected: boolean;
  readonly isFocusable: boolean;
  readonly isTip: boolean;
}

/** A box: its rectangle is what a screen reader and the keyboard see, with all that is written on it as its name. */
export function TreeItem({ box, detail, isSelected, isFocusable, isTip }: ItemProps): JSX.Element {
  const { x, y } = centre(box);
  const colour = box.kind === 'block' && box.block.height > 0 ? nodeColour(box.block.miner) : '';
  const state = box.kind === 'ghost' ? '' : box.state;
  const half = halfWidth(box);
  const height = box.kind === 'capsule' ? CAPSULE_HEIGHT : BOX.height;
  return (
    <g class={`box ${box.kind} ${state} ${colour} ${isTip ? 'tip' : ''}`} style={at(x, y)}>
      <rect
        x={-half}
        y={-height / 2}
        width={2 * half}
        height={height}
        rx={box.kind === 'capsule' ? height / 2 : 10}
        role="treeitem"
        aria-label={describe(box)}
        aria-level={box.lane + 1}
        aria-selected={isSelected}
        tabindex={isFocusable ? 0 : -1}
        data-key={box.key}
      />
      {box.kind === 'block' && detail !== 'bare' && <BlockText box={box} isFull={detail === 'full'} />}
      {box.kind === 'capsule' && (
        <text aria-hidden="true" class="about" y="4" text-anchor="middle">
          {plural(box.count, 'block')}
        </text>
      )}
      {box.kind === 'ghost' && <GhostText box={box} />}
    </g>
  );
}

function BlockText({ box: { block }, isFull }: { readonly box: BlockBox; readonly isFull: boolean }): JSX.Element {
  const isGenesis = block.height === 0;
  const place = isGenesis ? { x: 0, 'text-anchor': 'middle' as const } : { x: -BOX.width / 2 + 11 };
  const about = isGenesis ? 'genesis' : block.entries === 0 ? 'empty' : plural(block.entries, 'entry', 'entries');
  return (
    <>
      <text aria-hidden="true" class="height" {...place} y={isFull ? -2 : 5}>
        {block.height}
      </text>
      {isFull && (
        <text aria-hidden="true" class="about" {...place} y="15">
          {about}
        </text>
      )}
      {isFull && !isGenesis && (
        <text aria-hidden="true" class="letter" x={BOX.width / 2 - 10} y="-4" text-anchor="end">
          {badgeOf(block.miner).letter}
        </text>
      )}
    </>
  );
}

function GhostText({ box }: { readonly box: GhostBox }): JSX.Element {
  return (
    <>
      <text aria-hidden="true" class="height" y="-2" text-anchor="middle">
        {box.nodeIds.map((id) => badgeOf(id).letter).join(' ')}
      </text>
      <text aria-hidden="true" class="about" y="15" text-anchor="middle">
        searching
      </text>
    </>
  );
}

/** The letter of a node, above the block that it is on. */
export function ChipMark({
  nodeId,
  box,
  place,
  of,
}: {
  nodeId: string;
  box: Box;
  place: number;
  of: number;
}): JSX.Element {
  const { x, y } = centre(box);
  const gap = Math.min(CHIP.gap, (COLUMN - 14) / of);
  const dx = (place - (of - 1) / 2) * gap;
  const dy = -BOX.height / 2 - CHIP.rise;
  return (
    <g class={`chip ${nodeColour(nodeId)}`} style={at(x + dx, y + dy)}>
      <path d={`M-5 ${CHIP.radius - 4}L0 ${CHIP.radius + 7}L5 ${CHIP.radius - 4}Z`} />
      <circle r={CHIP.radius} />
      <text y="4.5" text-anchor="middle">
        {badgeOf(nodeId).letter}
      </text>
    </g>
  );
}
