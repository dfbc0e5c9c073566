import { parentPort } from 'node:worker_threads';
import { crowded } from './stalls-crowded.js';
import { revive, type Scenario } from './stalls-lab.js';
import { signed } from './stalls-signed.js';
import { hostile, messages } from './stalls-messages.js';
import { requests } from './stalls-requests.js';

// The hostile ones come last, for the node closes the sessions of a peer that does such things.
const scenarios: readonly Scenario[] = [...messages, ...signed, ...crowded, ...requests, ...hostile];

let run: () => Promise<unknown> = async () => {};

async function step(index: number | undefined, round: number): Promise<void> {
  try {
    if (index === undefined) await run();
    else {
      await revive();
      run = await scenarios[index]!.prepare(round);
      await revive();
    }
    tell({ done: true });
  } catch (error) {
    tell({ error: String(error) });
  }
}

function tell(message: object): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort!.postMessage(message);
}

parentPort!.on('message', ({ prepare: index, round }: { prepare?: number; round: number }) => void step(index, round));
tell({ names: scenarios.map(({ name }) => name) });
