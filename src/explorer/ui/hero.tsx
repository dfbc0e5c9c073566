import type { JSX } from 'preact';
import { blocks, home, standings, summary } from '../model/network.js';
import { duration, plural } from '../model/format.js';
import { NodeName } from './node-badge.jsx';

/** The state of the network in one sentence, and how the newest block came about. */
export function Hero(): JSX.Element {
  const { text, mood } = summary.value;
  return (
    <div class={`hero ${mood}`}>
      <h1>{text}</h1>
      <NewestBlock />
    </div>
  );
}

/** Who mined the block that this node is on, and how long after the first node each other one had it. */
function NewestBlock(): JSX.Element | null {
  void blocks.version.value;
  const { tip } = home.value ?? {};
  const block = tip === undefined ? undefined : blocks.get(tip.hash);
  if (block === undefined) return <p class="newest">&nbsp;</p>;
  if (block.height === 0) {
    const many = standings.value.length > 1;
    return (
      <p class="newest">
        {many ? 'All of them begin with the same block, the genesis.' : 'The chain begins with the genesis block.'}
      </p>
    );
  }
  const arrivals = [...block.receivedMs].sort(([, a], [, b]) => a - b);
  const [first] = arrivals;
  const later = arrivals.filter(([nodeId]) => nodeId !== block.miner && nodeId !== first?.[0]);
  return (
    <p class="newest">
      Block {block.height}: {plural(block.entries, 'entry', 'entries')}, mined by <NodeName id={block.miner} />
      {later.map(([nodeId, ms]) => (
        <span key={nodeId} class="arrival">
          <NodeName id={nodeId} /> after {duration(ms - first![1])}
        </span>
      ))}
    </p>
  );
}
