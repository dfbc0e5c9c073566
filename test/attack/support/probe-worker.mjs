// Asks a node again and again, on a thread of its own, so that an attacker at work beside it does not spoil the times.
import { request } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

const { port, from, paths, pauseMs, timeoutMs } = workerData;
const samples = [];
const state = { isStopped: false };

/** On a new connection each time, as a probe does. */
function ask(path) {
  return new Promise((resolve) => {
    const startMs = performance.now();
    const done = (status) => resolve({ path, status, ms: performance.now() - startMs });
    request({ host: '127.0.0.1', port, path, localAddress: from, agent: false, timeout: timeoutMs }, (answer) => {
      answer.on('end', () => done(answer.statusCode)).on('error', () => done(0));
      answer.resume();
    })
      .on('timeout', function () {
        this.destroy();
      })
      .on('error', () => done(0))
      .end();
  });
}

parentPort.once('message', () => (state.isStopped = true));
for (let n = 0; !state.isStopped; n++) {
  samples.push(await ask(paths[n % paths.length]));
  await new Promise((resolve) => setTimeout(resolve, pauseMs));
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort.postMessage(samples);
