import type { Steps } from '../../proofs/offline/steps.js';

/** The page draws and answers to its reader between two turns. */
const TURN_MS = 12;

/** Takes the steps one after another, and lets the page live meanwhile. @throws what a step throws; the reason of `signal`. */
export async function inTurns<T>(steps: Steps<T>, signal: AbortSignal): Promise<T> {
  for (;;) {
    for (const end = performance.now() + TURN_MS; performance.now() < end;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
    await nextTurn();
    signal.throwIfAborted();
  }
}

/** Not a timer: in a page that is not in sight, each would take a second. */
function nextTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.addEventListener('message', () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}
