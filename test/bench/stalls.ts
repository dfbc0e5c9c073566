import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { parseConfig } from '../../src/config/load-config.js';
import { createParams } from '../../src/consensus/params.js';
import { decodeBlock } from '../../src/consensus/block.js';
import { verifyBlock } from '../../src/consensus/verify-block.js';
import { createNode } from '../../src/node.js';
import { genesisNode, mineOn, silentLog } from '../support/chain-builders.js';
import { freePort, temporaryDirectory } from '../support/node-process.js';
import { median, type Report, type Row } from './report.js';
import type { ClientData } from './stalls-client.js';

const ROUNDS = 3;
/** Deferred work of the node follows an answer within this. */
const AFTER_MS = 300;

/**
 * The longest turn of a real node's event loop under each message and request with the largest content that is legal, in
 * CPU time of its thread: what other processes take of a busy machine is not the node's doing. The client is in a thread of its own.
 */
export async function run(): Promise<Report> {
  const directory = temporaryDirectory();
  const httpPort = await freePort();
  const p2pPort = await freePort();
  const config = parseConfig({
    env: {
      MINICHAIN_NODE_NODE_ID: 'node-1',
      MINICHAIN_NODE_DATA_DIR: directory.path,
      MINICHAIN_NODE_HTTP_HOST: '127.0.0.1',
      MINICHAIN_NODE_HTTP_PORT: String(httpPort),
      MINICHAIN_NODE_P2P_HOST: '127.0.0.1',
      MINICHAIN_NODE_P2P_PORT: String(p2pPort),
      MINICHAIN_BLOCKCHAIN_DIFFICULTY: '0',
      MINICHAIN_BLOCKCHAIN_AUTO_MINE: 'false',
      MINICHAIN_BLOCKCHAIN_THREADS: '1',
      MINICHAIN_MEMPOOL_MAX_TRANSACTIONS: '1000000',
      MINICHAIN_MEMPOOL_MAX_BYTES: '1000000000',
    },
  });
  const node = await createNode(config, { logger: silentLog });
  await node.listen();
  const data: ClientData = { httpPort, p2pAddress: `127.0.0.1:${p2pPort}` };
  const client = new Worker(new URL('stalls-client.js', import.meta.url), { workerData: data });
  const tell = async (message: object): Promise<{ names?: string[]; error?: string }> => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    client.postMessage(message);
    return answerOf(client);
  };
  const baseline = baselineMs();
  const rows: Row[] = [];
  try {
    const { names = [] } = await answerOf(client);
    for (const [index, name] of names.entries()) {
      const longest: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const { error: early } = await tell({ prepare: index, round });
        const stop = watchTurns();
        const { error = early } = await tell({ round });
        if (error !== undefined) process.stderr.write(`${name}: ${error}\n`);
        await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
        longest.push(stop());
      }
      const value = median(longest);
      rows.push({ label: name, value, unit: 'ms', ratio: value / baseline });
      process.stderr.write(`${name.padEnd(60)} ${longest.map((ms) => ms.toFixed(0)).join(' ')}\n`);
    }
  } finally {
    await client.terminate();
    await node.close();
    directory.remove();
  }
  rows.push({ label: 'decoding and checking a full block in one go (baseline)', value: baseline, unit: 'ms' });
  return { name: `longest turn of the event loop, CPU time, medians of ${ROUNDS} rounds`, rows };
}

async function answerOf(client: Worker): Promise<{ names?: string[]; error?: string }> {
  const [message] = (await once(client, 'message')) as [{ names?: string[]; error?: string }];
  return message;
}

/** Begins to watch; the function that it returns ends that, and gives the longest turn. */
function watchTurns(): () => number {
  let longestMs = 0;
  let lastMs = cpuMs();
  let ticker = setImmediate(tick);
  function tick(): void {
    const nowMs = cpuMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    ticker = setImmediate(tick);
  }
  return () => {
    clearImmediate(ticker);
    return longestMs;
  };
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function baselineMs(): number {
  const params = createParams({ network: 'test', difficulty: 0 });
  const { bytes } = mineOn(
    genesisNode(),
    Array.from({ length: 9_999 }, (_, index) => `${index}`),
  );
  const measured = Array.from({ length: 5 }, () => {
    const startMs = cpuMs();
    verifyBlock(decodeBlock(bytes), params);
    return cpuMs() - startMs;
  });
  return median(measured);
}
