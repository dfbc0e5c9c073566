import { useState } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';
import { home, summary } from '../model/network.js';
import { NodeName } from '../ui/node-badge.jsx';
import { CurlLine } from '../ui/panel.jsx';
import {
  curlOf,
  cutOff,
  heal,
  lab,
  labError,
  labNodes,
  mineOne,
  process,
  reset,
  run,
  setMining,
  shownCall,
  slow,
  steady,
  type LabCall,
  type LabNode,
  type MiningMode,
} from './lab.js';

const SLOW_MS = 800;
const STEADY_SECONDS = 5;
/** Hashes per second; 0 = as fast as the node can. */
const RATES = [0, 10, 50, 200, 1_000] as const;

/** Causes faults in the running network. Stands only where the node has its lab on. */
export function LabBar(): JSX.Element | null {
  const state = lab.value;
  if (state === undefined) return null;
  const all = labNodes.value;
  const isCut = (state.groups?.length ?? 0) > 1;
  return (
    <section class="lab" aria-label="Lab">
      <div class="lab-top">
        <h2>Lab</h2>
        <Suggestion isCut={isCut} />
        <Action calls={steady(STEADY_SECONDS)} done="All nodes mine, together a block every 5 seconds.">
          Steady: a block per {STEADY_SECONDS} s
        </Action>
        <Action calls={[heal()]} done="The network is whole again." isMain={isCut}>
          Heal
        </Action>
        <Action calls={[reset()]} done="The lab is reset.">
          Reset
        </Action>
      </div>
      <ul>
        {all.map((node) => (
          <NodeControls key={node.nodeId} node={node} isAlone={all.length === 1} />
        ))}
      </ul>
      {shownCall.value && <CurlLine line={curlOf(shownCall.value)} />}
      {labError.value !== '' && (
        <p class="error" role="alert">
          {labError.value}
        </p>
      )}
    </section>
  );
}

/** The one thing to try next. */
function Suggestion({ isCut }: { readonly isCut: boolean }): JSX.Element | null {
  const [first] = labNodes.value;
  const height = home.value?.tip?.height ?? 0;
  if (first === undefined || labNodes.value.length < 2 || isCut || height === 0 || summary.value.mood === 'split')
    return null;
  return (
    <Action
      calls={[cutOff(first.nodeId), ...steady(STEADY_SECONDS)]}
      done={`${first.nodeId} is cut off; both sides mine.`}
      isMain
    >
      Cut {first.nodeId} off and mine on both sides
    </Action>
  );
}

function NodeControls({ node, isAlone }: { readonly node: LabNode; readonly isAlone: boolean }): JSX.Element {
  const { nodeId, state } = node;
  const [mode, setMode] = useState<MiningMode>('entries');
  const [isSlow, setSlow] = useState(false);
  const isUp = state === 'running';
  const isHome = nodeId === lab.value?.nodeId;
  return (
    <li class={isUp ? '' : 'down'}>
      <NodeName id={nodeId} />
      {!isUp && <span class="tag">{state}</span>}
      {isUp && (
        <>
          <Action name={`Mine here: ${nodeId}`} calls={[mineOne(node)]} done={`${nodeId} mined a block.`}>
            Mine here
          </Action>
          <Action
            name={mode === 'off' ? `Resume mining: ${nodeId}` : `Pause mining: ${nodeId}`}
            calls={[setMining(node, mode === 'off' ? 'entries' : 'off')]}
            done={mode === 'off' ? `${nodeId} mines entries.` : `${nodeId} does not mine.`}
            onDone={() => setMode(mode === 'off' ? 'entries' : 'off')}
          >
            {mode === 'off' ? 'Resume' : 'Pause'}
          </Action>
          <label class="rate">
            <select
              aria-label={`Hash rate of ${nodeId}`}
              onChange={(event) =>
                void run(`Hash rate of ${nodeId} set.`, setMining(node, 'always', Number(event.currentTarget.value)))
              }
            >
              {RATES.map((rate) => (
                <option key={rate} value={rate}>
                  {rate === 0 ? 'full' : `${rate} H/s`}
                </option>
              ))}
            </select>
          </label>
          {!isAlone && (
            <Action name={`Cut off ${nodeId}`} calls={[cutOff(nodeId)]} done={`${nodeId} is cut off.`}>
              Cut
            </Action>
          )}
          {!isAlone && !isHome && (
            <Action
              name={isSlow ? `Fast again: the link to ${nodeId}` : `Slow the link to ${nodeId}`}
              calls={[slow(nodeId, isSlow ? 0 : SLOW_MS)]}
              done={isSlow ? `The link to ${nodeId} is fast again.` : `The link to ${nodeId} is ${SLOW_MS} ms slower.`}
              onDone={() => setSlow(!isSlow)}
            >
              {isSlow ? 'Fast' : 'Slow'}
            </Action>
          )}
        </>
      )}
      {lab.value?.cluster != null && (
        <Action
          name={`${isUp ? 'Kill' : 'Start'} ${nodeId}`}
          calls={[process(nodeId, isUp ? 'kill' : 'start')]}
          done={isUp ? `${nodeId} was killed.` : `${nodeId} is starting.`}
        >
          {isUp ? 'Kill' : 'Start'}
        </Action>
      )}
    </li>
  );
}

interface ActionProps {
  /** Longer than what stands on the button, where that is short. */
  readonly name?: string;
  readonly calls: readonly LabCall[];
  /** Said when it is done. */
  readonly done: string;
  readonly isMain?: boolean;
  readonly onDone?: () => void;
  readonly children: ComponentChildren;
}

/** A button of the lab; while the reader is at it, the line shows what it sends. */
function Action({ name, calls, done, isMain = false, onDone, children }: ActionProps): JSX.Element {
  const [isBusy, setBusy] = useState(false);
  const show = (): void => void (shownCall.value = calls[0]);
  const act = async (): Promise<void> => {
    setBusy(true);
    await run(done, ...calls);
    setBusy(false);
    onDone?.();
  };
  return (
    <button
      type="button"
      class={isMain ? 'primary' : ''}
      aria-label={name}
      title={name}
      disabled={isBusy}
      onPointerEnter={show}
      onFocus={show}
      onClick={() => void act()}
    >
      {children}
    </button>
  );
}
