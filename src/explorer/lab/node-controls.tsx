import type { JSX } from 'preact';
import type { LabView } from '../../lab/lab-schemas.js';
import { NodeName } from '../ui/node-badge.jsx';
import { Action } from './action.jsx';
import { cutOff, lab, labs, mineOne, process, run, setMining, slow, type LabNode } from './lab.js';

const SLOW_MS = 800;
/** Hashes per second; 0 = as fast as the node can. */
const RATES = [0, 10, 50, 200, 1_000];

/** What can be done to one node. */
export function NodeControls({ node, isAlone }: { readonly node: LabNode; readonly isAlone: boolean }): JSX.Element {
  const { nodeId, state } = node;
  const isUp = state === 'running';
  const view = labs.value.get(nodeId);
  return (
    <li class={isUp ? '' : 'down'}>
      <NodeName id={nodeId} />
      {!isUp && <span class="tag">{state}</span>}
      {isUp && (
        <Action name={`Mine here: ${nodeId}`} calls={() => [mineOne(node)]} done={`${nodeId} mined a block.`}>
          Mine
        </Action>
      )}
      {isUp && view && <MiningControls node={node} mining={view.mining} />}
      {isUp && !isAlone && (
        <Action name={`Cut off ${nodeId}`} calls={() => cutOff(nodeId)} done={`${nodeId} is cut off.`}>
          Cut
        </Action>
      )}
      {isUp && !isAlone && <SlowButton nodeId={nodeId} />}
      {lab.value?.cluster != null && <ProcessButton node={node} />}
    </li>
  );
}

interface MiningProps {
  readonly node: LabNode;
  readonly mining: LabView['mining'];
}

/** Both show what the node does now, whoever asked it to. */
function MiningControls({ node, mining: { mode, hashRate } }: MiningProps): JSX.Element {
  const { nodeId } = node;
  const isOff = mode === 'off';
  const rates = [...new Set([...RATES, hashRate])].toSorted((a, b) => a - b);
  const limit = (rate: number): void => void run(`Hash rate of ${nodeId} set.`, setMining(node, { hashRate: rate }));
  return (
    <>
      <Action
        name={isOff ? `Resume mining: ${nodeId}` : `Pause mining: ${nodeId}`}
        calls={() => [setMining(node, { mode: isOff ? 'entries' : 'off' })]}
        done={isOff ? `${nodeId} mines entries.` : `${nodeId} does not mine.`}
      >
        {isOff ? 'Resume' : 'Pause'}
      </Action>
      <select
        aria-label={`Hash rate of ${nodeId}`}
        value={hashRate}
        onChange={(event) => limit(Number(event.currentTarget.value))}
      >
        {rates.map((rate) => (
          <option key={rate} value={rate}>
            {rate === 0 ? 'full' : `${rate} H/s`}
          </option>
        ))}
      </select>
    </>
  );
}

/** Of the link between the node that the page asks and another one. */
function SlowButton({ nodeId }: { readonly nodeId: string }): JSX.Element | null {
  const asked = lab.value?.nodeId;
  if (asked === undefined || asked === nodeId) return null;
  const isSlow = lab.value!.links.some((link) => link.nodeId === nodeId && !link.cut);
  return (
    <Action
      name={isSlow ? `Fast again: the link to ${nodeId}` : `Slow the link to ${nodeId}`}
      calls={() => [slow(nodeId, isSlow ? 0 : SLOW_MS)]}
      done={isSlow ? `The link to ${nodeId} is fast again.` : `The link to ${nodeId} is ${SLOW_MS} ms slower.`}
    >
      {isSlow ? 'Fast' : 'Slow'}
    </Action>
  );
}

const VERBS = {
  running: { verb: 'kill', text: 'Kill', done: 'was killed' },
  paused: { verb: 'resume', text: 'Resume', done: 'goes on' },
  ended: { verb: 'start', text: 'Start', done: 'is starting' },
} as const;

function ProcessButton({ node: { nodeId, state } }: { readonly node: LabNode }): JSX.Element | null {
  if (!(state in VERBS)) return null;
  const { verb, text, done } = VERBS[state as keyof typeof VERBS];
  return (
    <Action name={`${text} ${nodeId}`} calls={() => [process(nodeId, verb)]} done={`${nodeId} ${done}.`}>
      {text}
    </Action>
  );
}
