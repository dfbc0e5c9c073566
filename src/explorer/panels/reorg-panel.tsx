import type { JSX } from 'preact';
import { clockTime } from '../model/format.js';
import { isPresenting } from '../model/route.js';
import { closeReplay, openReplay, replay, stepTo } from '../model/replay.js';
import { describeReorg, reorgs } from '../model/reorgs.js';

const MOST_SHOWN = 5;

/** Reorganisations that this page has seen. */
export function ReorgPanel(): JSX.Element | null {
  if (reorgs.value.length === 0) return null;
  return (
    <section class="panel reorgs" aria-label="Reorganisations">
      <header>
        <h2>Reorganisations</h2>
      </header>
      <ol>
        {reorgs.value.slice(0, MOST_SHOWN).map((record) => (
          <li key={`${record.nodeId} ${record.tip.hash}`}>
            <time>{clockTime(record.atMs)}</time>
            <span>{describeReorg(record)}</span>
            <button type="button" onClick={() => openReplay(record)}>
              Replay
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Steps through a reorganisation, back and forth. After a fresh one it offers the replay. */
export function ReplayBar(): JSX.Element | null {
  const shown = replay.value;
  if (shown === undefined) {
    const [newest] = reorgs.value;
    if (newest === undefined || !isPresenting) return null;
    return (
      <div class="replay">
        <p>{describeReorg(newest)}</p>
        <button type="button" onClick={() => openReplay(newest)}>
          Replay
        </button>
      </div>
    );
  }
  const { steps, at, isPlaying } = shown;
  return (
    <section class="replay open" aria-label="Replay of a reorganisation">
      <p>
        <span class="step">
          {at + 1} of {steps.length}
        </span>
        {steps[at]!.text}
      </p>
      {!isPlaying && (
        <div class="row">
          <button type="button" disabled={at === 0} onClick={() => stepTo(at - 1)}>
            ← Back
          </button>
          <button type="button" class="primary" disabled={at === steps.length - 1} onClick={() => stepTo(at + 1)}>
            Next →
          </button>
          <button type="button" onClick={closeReplay}>
            Back to now
          </button>
        </div>
      )}
    </section>
  );
}
