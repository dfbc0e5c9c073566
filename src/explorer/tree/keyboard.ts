import type { Box, Layout } from './tree-block.js';

/**
 * Where a key leads from a box: left to its parent, right to its first child (on the same lane, if there is one), up and
 * down to what stands at the same height, Home and End to the two ends of the active chain.
 */
export function moveFocus({ boxes, edges }: Layout, here: Box, key: string): Box | undefined {
  switch (key) {
    case 'ArrowLeft':
      return edges.find(({ child }) => child === here)?.parent;
    case 'ArrowRight': {
      const children = edges.filter(({ parent }) => parent === here).map(({ child }) => child);
      return children.find(({ lane }) => lane === here.lane) ?? children[0];
    }
    case 'ArrowUp':
      return atHeight(boxes, here).findLast(({ lane }) => lane < here.lane);
    case 'ArrowDown':
      return atHeight(boxes, here).find(({ lane }) => lane > here.lane);
    case 'Home':
      return boxes.find(({ lane }) => lane === 0);
    case 'End':
      return boxes.findLast(({ lane, kind }) => lane === 0 && kind === 'block');
    default:
      return undefined;
  }
}

function atHeight(boxes: readonly Box[], here: Box): Box[] {
  return boxes.filter(({ x }) => x === here.x);
}
