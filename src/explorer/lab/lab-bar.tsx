import type { JSX } from 'preact';
import { home, summary } from '../model/network.js';
import { CurlLine } from '../ui/panel.jsx';
import { Action } from './action.jsx';
import { curlOf, cutOff, heal, lab, labError, labNodes, labs, reset, shownCalls, steady } from './lab.js';
import { NodeControls } from './node-controls.jsx';

const STEADY_SECONDS = 5;

/** Causes faults in the running network. Stands only where the node has its lab on. */
export function LabBar(): JSX.Element | null {
  const state = lab.value;
  if (state === undefined) return null;
  const all = labNodes.value;
  const isCut = (state.groups?.length ?? 0) > 1;
  return (
    <section class="lab" aria-label="Lab">
      <SkipLink />
      <div class="lab-top">
        <h2>Lab</h2>
        <Suggestion isCut={isCut} />
        <Action calls={() => steady(STEADY_SECONDS)} done="All nodes mine, together a block every 5 seconds.">
          Steady: a block per {STEADY_SECONDS} s
        </Action>
        <Action calls={() => heal()} done="The network is whole again." isMain={isCut}>
          Heal
        </Action>
        <Action calls={() => reset()} done="The lab is reset.">
          Reset
        </Action>
      </div>
      <Faults />
      <ul class="lab-nodes">
        {all.map((node) => (
          <NodeControls key={node.nodeId} node={node} isAlone={all.length === 1} />
        ))}
      </ul>
      {shownCalls.value.length > 0 && <CurlLine line={shownCalls.value.map(curlOf).join('\n')} />}
      {labError.value !== '' && (
        <p class="error" role="alert">
          {labError.value}
        </p>
      )}
    </section>
  );
}

/** For the keyboard: the buttons of many nodes stand before the tree. Seen only while it has the focus. */
function SkipLink(): JSX.Element {
  const skip = (event: Event): void => {
    // Without this the address would lead to another place of the page.
    event.preventDefault();
    document.querySelector<SVGElement>('#tree [tabindex="0"]')?.focus();
  };
  return (
    <a class="skip button" href="#tree" onClick={skip}>
      Skip the lab, to the block tree
    </a>
  );
}

/** What is cut or slow on purpose, whoever did it. */
function Faults(): JSX.Element | null {
  const groups = lab.value?.groups ?? [];
  const cut = groups.length > 1 ? [`The network is cut: ${groups.map((group) => group.join(', ')).join(' / ')}.`] : [];
  const links = [...labs.value].flatMap(([nodeId, { links: those }]) =>
    those.map((link) => {
      const what = link.cut ? 'cut' : `${link.delayMs} ms slower`;
      return `The link of ${nodeId} with ${link.nodeId} is ${what}.`;
    }),
  );
  const all = [...cut, ...links];
  return all.length === 0 ? null : <p class="faults">{all.join(' ')}</p>;
}

/** The one thing to try next. */
function Suggestion({ isCut }: { readonly isCut: boolean }): JSX.Element | null {
  const [first] = labNodes.value;
  const height = home.value?.tip?.height ?? 0;
  if (first === undefined || labNodes.value.length < 2 || isCut || height === 0 || summary.value.mood === 'split')
    return null;
  return (
    <Action
      calls={() => [...cutOff(first.nodeId), ...steady(STEADY_SECONDS)]}
      done={`${first.nodeId} is cut off; both sides mine.`}
      isMain
    >
      Cut {first.nodeId} off and mine on both sides
    </Action>
  );
}
