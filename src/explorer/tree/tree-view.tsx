import { effect } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { home } from '../model/network.js';
import { replayed } from '../model/replay.js';
import { goTo, hrefOf, route } from '../model/route.js';
import { camera, followTip, isFollowing, pan, reveal, viewport, zoom, zoomBy } from './camera.js';
import { ChipMark, EdgeLine, TreeItem, type Detail } from './draw.jsx';
import { moveFocus } from './keyboard.js';
import { scene, tree, watchExtent } from './scene.js';
import { openCapsule } from './unfold.js';
import type { Box } from './tree-block.js';

/** A pointer that moves less has clicked. */
const CLICK_PIXELS = 5;
/** More boxes are drawn with less detail. */
const FULL = 46;
const SOME = 84;
const ZOOM_STEP = 1.25;

/** The block tree: it follows the tip until the reader moves it. */
export function TreeWindow(): JSX.Element {
  const ref = useRef<HTMLDivElement>(null);
  const [focused, setFocused] = useState<string | undefined>();
  const [isDragging, setDragging] = useState(false);
  const wantsFocus = useRef(false);
  const world = useRef<SVGGElement>(null);
  useEffect(() => watchExtent(), []);
  // Not by rendering: the reader moves the window at every frame.
  useLayoutEffect(
    () =>
      effect(() => {
        const { x, y } = camera.value;
        world.current!.style.transform = `translate(${x}px, ${y}px) scale(${zoom.value})`;
      }),
    [],
  );
  useEffect(() => {
    const element = ref.current!;
    const observer = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      viewport.value = { width, height };
    });
    observer.observe(element);
    const onWheel = (event: WheelEvent): void => {
      const isSideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
      if (!event.ctrlKey && !isSideways) return;
      event.preventDefault();
      if (event.ctrlKey) zoomBy(Math.exp(-event.deltaY / 300), event.offsetX);
      else pan(-(event.deltaX || event.deltaY), 0);
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      observer.disconnect();
      element.removeEventListener('wheel', onWheel);
    };
  }, []);

  const { boxes, edges } = scene.value;
  const detail: Detail = boxes.length <= FULL ? 'full' : boxes.length <= SOME ? 'some' : 'bare';
  const tipHash = replayed.value?.hash ?? home.value?.tip?.hash;
  const tipKey = tree.value.boxes.some(({ key }) => key === focused) ? focused : tipHash;
  const focusable = boxes.some(({ key }) => key === tipKey) ? tipKey : boxes.at(-1)?.key;
  const selected = route.value.name === 'overview' ? undefined : (route.value as { id: string }).id;

  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    wantsFocus.current = false;
    ref.current?.querySelector<SVGElement>(`[data-key="${CSS.escape(focused ?? '')}"]`)?.focus({ preventScroll: true });
  });

  const activate = (box: Box): void => {
    if (box.kind === 'capsule') void openCapsule(box);
    if (box.kind === 'block') goTo({ name: 'block', id: box.key });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const here = tree.value.boxes.find(({ key }) => key === focusable);
    if (here === undefined) return;
    if (event.key === 'Enter' || event.key === ' ') activate(here);
    else {
      const next = moveFocus(tree.value, here, event.key);
      if (next === undefined) return;
      reveal(next.x);
      wantsFocus.current = true;
      setFocused(next.key);
    }
    event.preventDefault();
  };

  const drag = useRef({ id: -1, x: 0, y: 0, far: 0 });
  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    drag.current = { id: event.pointerId, x: event.clientX, y: event.clientY, far: 0 };
  };
  const onPointerMove = (event: PointerEvent): void => {
    const from = drag.current;
    if (from.id !== event.pointerId) return;
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    from.far += Math.abs(dx) + Math.abs(dy);
    if (from.far < CLICK_PIXELS) return;
    if (!isDragging) {
      setDragging(true);
      ref.current!.setPointerCapture(event.pointerId);
    }
    Object.assign(from, { x: event.clientX, y: event.clientY });
    pan(dx, dy);
  };
  const onPointerUp = (event: PointerEvent): void => {
    const { far } = drag.current;
    drag.current.id = -1;
    setDragging(false);
    if (far >= CLICK_PIXELS) return;
    const key = (event.target as Element).closest('[data-key]')?.getAttribute('data-key');
    const box = tree.value.boxes.find((candidate) => candidate.key === key);
    if (box === undefined) return;
    setFocused(box.key);
    activate(box);
  };

  const standing = boxes.filter((box) => box.kind === 'block' && box.chips.length > 0);
  const isStill = isDragging || !isFollowing.value;
  return (
    <section id="tree" class="tree" aria-label="Blocks">
      <div
        ref={ref}
        class={`window lanes-${Math.min(tree.value.lanes, 3)} ${isDragging ? 'dragging' : ''} ${isStill ? 'still' : ''}`}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={() => setDragging(false)}
      >
        <svg width="100%" height="100%">
          <defs>
            <marker id="to-parent" viewBox="0 0 8 8" refX="6.5" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0.5 0.8L7 4L0.5 7.2Z" />
            </marker>
          </defs>
          <g class="camera" ref={world}>
            <g aria-hidden="true">
              {edges.map((edge) => (
                <EdgeLine key={edge.key} edge={edge} />
              ))}
            </g>
            <g role="tree" aria-label="Block tree" onKeyDown={onKeyDown}>
              {boxes.map((box) => (
                <TreeItem
                  key={box.key}
                  box={box}
                  detail={detail}
                  isSelected={box.key === selected}
                  isFocusable={box.key === focusable}
                  isTip={box.key === tipHash}
                />
              ))}
            </g>
            <g aria-hidden="true">
              {standing.flatMap((box) => {
                const { chips } = box as Extract<Box, { kind: 'block' }>;
                return chips.map((nodeId, place) => (
                  <ChipMark key={nodeId} nodeId={nodeId} box={box} place={place} of={chips.length} />
                ));
              })}
            </g>
          </g>
        </svg>
      </div>
      <div class="tools">
        {!isFollowing.value && (
          <button type="button" onClick={followTip}>
            Follow the tip
          </button>
        )}
        {route.value.name !== 'overview' && (
          <a class="button" href={hrefOf({ name: 'overview' })}>
            Overview
          </a>
        )}
        <button type="button" aria-label="Zoom out" onClick={() => zoomBy(1 / ZOOM_STEP)}>
          −
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => zoomBy(ZOOM_STEP)}>
          +
        </button>
      </div>
    </section>
  );
}
