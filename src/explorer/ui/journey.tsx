import type { JSX } from 'preact';
import { followed, type Stage } from '../model/follow.js';
import { clockTime, count, duration } from '../model/format.js';
import { nodes } from '../model/network.js';
import { excerpt } from '../model/printable.js';
import { hrefOf } from '../model/route.js';
import { NodeName } from './node-badge.jsx';

const MOST_TEXT = 60;

/** Where the entry that was posted last has got to, node by node. Only nodes that the page follows can say. */
export function Journey(): JSX.Element | null {
  const entry = followed.value;
  if (entry === undefined) return null;
  const stages = [...entry.byNode.values()];
  const startMs = Math.min(...stages.flatMap(({ pendingMs, confirmedMs }) => [pendingMs ?? confirmedMs ?? Infinity]));
  const where = nodes.value.filter(({ nodeId }) => nodeId !== '');
  return (
    <section class="journey" aria-label="The way of your entry">
      <a class="what" href={hrefOf({ name: 'entry', id: entry.id })}>
        <bdi>“{excerpt(entry.data, MOST_TEXT)}”</bdi>
      </a>
      <ol>
        {where.map(({ nodeId }) => (
          <li key={nodeId}>
            <NodeName id={nodeId} />
            <Stop stage={entry.byNode.get(nodeId)} startMs={startMs} />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Stop({ stage, startMs }: { readonly stage: Stage | undefined; readonly startMs: number }): JSX.Element {
  if (stage === undefined) return <span class="stage waiting">not yet</span>;
  const { pendingMs, confirmedMs, height } = stage;
  const after = (ms: number): JSX.Element => (
    <time title={clockTime(ms)}>{ms === startMs ? clockTime(ms) : `+${duration(ms - startMs)}`}</time>
  );
  return (
    <>
      {pendingMs !== undefined && (
        <span class={`stage pending ${confirmedMs === undefined ? 'now' : ''}`}>mempool {after(pendingMs)}</span>
      )}
      {confirmedMs !== undefined && (
        <span class="stage confirmed now">
          block {count(height ?? 0)} {after(confirmedMs)}
        </span>
      )}
    </>
  );
}
