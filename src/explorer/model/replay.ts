import { computed, signal } from '@preact/signals';
import { blocks } from './network.js';
import { count, plural } from './format.js';
import type { ReorgRecord } from './reorgs.js';

/** A reorganisation takes at most so long to be drawn. */
const ANIMATION_MS = 1_500;
const LONGEST_STEP_MS = 300;

/** One state between before and after. */
interface Step {
  /** The tip of the node at this step. */
  readonly hash: string;
  readonly text: string;
}

interface Replay {
  readonly record: ReorgRecord;
  readonly steps: readonly Step[];
  readonly at: number;
  /** Whether it goes on by itself and then ends. */
  readonly isPlaying: boolean;
}

export const replay = signal<Replay | undefined>(undefined);

/** Where the tree shows the node of the replay. */
export const replayed = computed(() => {
  const shown = replay.value;
  return shown && { nodeId: shown.record.nodeId, hash: shown.steps[shown.at]!.hash };
});

/** Shows a reorganisation from its beginning, to step through. */
export function openReplay(record: ReorgRecord): void {
  replay.value = { record, steps: stepsOf(record), at: 0, isPlaying: false };
}

export function closeReplay(): void {
  replay.value = undefined;
}

export function stepTo(at: number): void {
  const shown = replay.value;
  if (shown === undefined) return;
  replay.value = { ...shown, at: Math.min(Math.max(at, 0), shown.steps.length - 1), isPlaying: false };
}

/** Draws a reorganisation that has just happened, unless the reader steps through another one or wants no motion. */
export function playReorg(record: ReorgRecord): void {
  if (replay.value?.isPlaying === false || matchMedia('(prefers-reduced-motion: reduce)').matches) return;
  const steps = stepsOf(record);
  replay.value = { record, steps, at: 0, isPlaying: true };
  const stepMs = Math.min(LONGEST_STEP_MS, ANIMATION_MS / steps.length);
  const advance = (): void => {
    const shown = replay.value;
    if (shown?.record !== record || !shown.isPlaying) return;
    if (shown.at === steps.length - 1) {
      replay.value = undefined;
      return;
    }
    replay.value = { ...shown, at: shown.at + 1 };
    setTimeout(advance, stepMs);
  };
  setTimeout(advance, stepMs);
}

function stepsOf(record: ReorgRecord): Step[] {
  const { nodeId, previous, fork, tip, depth, returned } = record;
  const off = pathDown(previous.hash, fork.hash);
  const on = pathDown(tip.hash, fork.hash).reverse();
  const steps: Step[] = [
    {
      hash: previous.hash,
      text: `${nodeId} is on block ${count(previous.height)}. A branch with more work has arrived.`,
    },
  ];
  for (const [i, hash] of off.entries()) {
    const block = blocks.get(hash);
    const isLast = i === off.length - 1;
    const back =
      isLast && (returned ?? 0) > 0
        ? ` ${plural(returned ?? 0, 'entry', 'entries')} of the old branch went back to the mempool.`
        : '';
    const text = `Block ${count(block?.height ?? previous.height - i)} is disconnected.${isLast ? ` Block ${count(fork.height)} is where the branches part.` : ''}${back}`;
    steps.push({ hash: isLast ? fork.hash : (block?.parent ?? fork.hash), text });
  }
  for (const hash of on) {
    const height = blocks.get(hash)?.height ?? tip.height;
    const isLast = hash === tip.hash;
    const end = isLast
      ? ` ${nodeId} is on the branch with the most work: ${plural(on.length, 'block')} against ${count(depth)}.`
      : '';
    steps.push({ hash, text: `Block ${count(height)} of the other branch is connected.${end}` });
  }
  return steps;
}

/** Hashes from a block down to the fork point, which is not among them; only the known part. */
function pathDown(from: string, forkPoint: string): string[] {
  const path: string[] = [];
  for (
    let at: string | undefined = from;
    at !== undefined && at !== forkPoint && blocks.get(at) !== undefined;
    at = blocks.parentOf(at)
  ) {
    path.push(at);
  }
  return path;
}
