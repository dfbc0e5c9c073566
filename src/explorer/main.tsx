import { effect, untracked } from '@preact/signals';
import { render } from 'preact';
import './styles/base.css';
import './styles/tree.css';
import './styles/panels.css';
import './styles/block.css';
import { App } from './app.jsx';
import { watchLab } from './lab/lab.js';
import { follow, home, refreshFigures, reorganised } from './model/network.js';
import { playReorg } from './model/replay.js';

/** Hash rates and latencies change without events. */
const FIGURES_MS = 2_000;

follow([]);
watchLab();

effect(() => {
  const record = reorganised.value;
  // Others' reorganisations move their chips; the lanes are this node's.
  if (record !== undefined && record.nodeId === home.peek()?.nodeId) untracked(() => playReorg(record));
});

const tick = async (): Promise<void> => {
  if (!document.hidden) await refreshFigures();
  setTimeout(() => void tick(), FIGURES_MS);
};
setTimeout(() => void tick(), FIGURES_MS);

render(<App />, document.getElementById('page')!);
