import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseConfig } from '../../src/config/load-config.js';
import { createParams } from '../../src/consensus/params.js';
import { decodeBlock } from '../../src/consensus/block.js';
import { verifyBlock } from '../../src/consensus/verify-block.js';
import { createNode } from '../../src/node.js';
import { DATABASE_FILE } from '../../src/storage/database.js';
import { genesisNode, mineOn, silentLog } from '../support/chain-builders.js';
import { freePort, temporaryDirectory } from '../support/node-process.js';
import { median, type Report, type Row } from './report.js';
import type { ClientData } from './stalls-lab.js';
import { longestOf, TurnWatch, type Turn } from './turn-watch.js';

const ROUNDS = 3;
/** Deferred work of the node follows an answer within this. */
const AFTER_MS = 300;

/** No message or request may hold the event loop for longer. */
const LIMIT_MS = 100;

/**
 * The longest turn of a real node's event loop under each message and request with the largest content that is legal (see
 * TurnWatch for what counts). The client is in a thread of its own.
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
  const data: ClientData = {
    httpPort,
    p2pAddress: `127.0.0.1:${p2pPort}`,
    databaseFile: join(directory.path, DATABASE_FILE),
  };
  const client = new Worker(new URL('stalls-client.js', import.meta.url), { workerData: data });
  const tell = async (message: object): Promise<{ names?: string[]; error?: string }> => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    client.postMessage(message);
    return answerOf(client);
  };
  const watch = new TurnWatch();
  const baseline = baselineMs(watch);
  const rows: Row[] = [];
  try {
    const { names = [] } = await answerOf(client);
    for (const [index, name] of names.entries()) {
      const turns: Turn[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const { error: early } = await tell({ prepare: index, round });
        watch.start();
        const { error = early } = await tell({ round });
        if (error !== undefined) process.stderr.write(`${name}: ${error}\n`);
        await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
        turns.push(watch.stop());
      }
      const { heldMs, cpuMs, wallMs } = longestOf(turns);
      const note = `CPU ${cpuMs.toFixed(0)}, wall clock ${wallMs.toFixed(0)}`;
      rows.push({ label: name, value: heldMs, unit: 'ms', ratio: heldMs / baseline, note });
      process.stderr.write(`${name.padEnd(60)} ${turns.map(describe).join('  ')}\n`);
    }
  } finally {
    await client.terminate();
    await node.close();
    directory.remove();
  }
  const over = rows.filter(({ value }) => value > LIMIT_MS).length;
  const verdict = over === 0 ? `none above ${LIMIT_MS} ms` : `${over} above ${LIMIT_MS} ms`;
  rows.push({ label: 'decoding and checking a full block in one go (baseline)', value: baseline, unit: 'ms' });
  return {
    name: `longest turn of the event loop in ${ROUNDS} rounds, waiting for a CPU not counted: ${verdict}`,
    rows,
  };
}

async function answerOf(client: Worker): Promise<{ names?: string[]; error?: string }> {
  const [message] = (await once(client, 'message')) as [{ names?: string[]; error?: string }];
  return message;
}

/** `held (CPU)` in milliseconds. */
function describe({ heldMs, cpuMs }: Turn): string {
  return `${heldMs.toFixed(0)} (${cpuMs.toFixed(0)})`;
}

function baselineMs(watch: TurnWatch): number {
  const params = createParams({ network: 'test', difficulty: 0 });
  const { bytes } = mineOn(
    genesisNode(),
    Array.from({ length: 9_999 }, (_, index) => `${index}`),
  );
  return median(
    Array.from({ length: 5 }, () => watch.measure(() => void verifyBlock(decodeBlock(bytes), params)).heldMs),
  );
}
