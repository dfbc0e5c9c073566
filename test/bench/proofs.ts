import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { parseConfig } from '../../src/config/load-config.js';
import { systemClock } from '../../src/common/clock.js';
import { linkHeader, type BlockNode } from '../../src/consensus/block-tree.js';
import type { Block } from '../../src/consensus/block.js';
import { createParams } from '../../src/consensus/params.js';
import { createNode } from '../../src/node.js';
import { verifyJsonProof } from '../../src/proofs/offline/verify-proof.js';
import { acceptBatch, mineOn, openChain, silentLog } from '../support/chain-builders.js';
import { freePort, temporaryDirectory } from '../support/node-process.js';
import type { Report, Row } from './report.js';
import { TurnWatch, type Turn } from './turn-watch.js';

const LENGTHS = [1_000, 10_000, 100_000, 500_000];
/** What a node does after its start is over by then. */
const SETTLE_MS = 2_000;
const BATCH = 256;
const MIB = 1024 * 1024;
const CLIENT = `
  const { workerData: { url, file }, parentPort } = require('node:worker_threads');
  const { writeFileSync } = require('node:fs');
  const startMs = performance.now();
  fetch(url).then((response) => response.bytes()).then((bytes) => {
    parentPort.postMessage(performance.now() - startMs);
    writeFileSync(file, bytes);
  });
`;

/** Size of a proof as JSON with all headers, and what it costs to serve and to verify, by the length of the chain. */
export async function run(): Promise<Report> {
  const rows: Row[] = [];
  for (const length of LENGTHS) rows.push(...(await measure(length)));
  return { name: 'proofs as JSON, with all headers', rows };
}

async function measure(length: number): Promise<Row[]> {
  const directory = temporaryDirectory();
  try {
    const id = build(directory.path, length);
    const { text, servedMs, turn } = await serve(directory.path, id);
    const startMs = performance.now();
    const { confirmations } = verifyJsonProof(text);
    const verifiedMs = performance.now() - startMs;
    if (confirmations !== length) throw new Error(`${confirmations} confirmations, not ${length}`);
    const blocks = `${length.toLocaleString('en-US')} blocks`;
    return [
      { label: `${blocks}: size`, value: text.length / MIB, unit: 'MiB' },
      { label: `${blocks}: from the request to the last byte`, value: servedMs, unit: 'ms' },
      {
        label: `${blocks}: longest turn of the node meanwhile`,
        value: turn.heldMs,
        unit: 'ms',
        note: `${Math.round(turn.cpuMs)} ms of CPU`,
      },
      {
        label: `${blocks}: to verify it`,
        value: verifiedMs,
        unit: 'ms',
        note: `${Math.round(length / verifiedMs)} headers/ms`,
      },
    ];
  } finally {
    directory.remove();
  }
}

/** A chain whose first block has an entry. @returns its id. */
function build(dataDir: string, length: number): string {
  const params = createParams({ network: 'minichain', difficulty: 0 });
  const node = openChain({ dataDir, params, clock: systemClock });
  let parent: BlockNode = linkHeader(params.genesis.hash, params.genesis.header, undefined);
  let batch: Block[] = [];
  let id = '';
  for (let height = 1; height <= length; height++) {
    const block = mineOn(parent, height === 1 ? ['an entry'] : []);
    if (height === 1) id = block.transactions[1]!.id;
    parent = linkHeader(block.hash, block.header, parent);
    batch.push(block);
    if (batch.length < BATCH && height < length) continue;
    acceptBatch(node.chain, batch);
    batch = [];
  }
  node.close();
  return id;
}

/** Asks a real node from another thread. */
async function serve(dataDir: string, id: string): Promise<{ text: string; servedMs: number; turn: Turn }> {
  const port = await freePort();
  const config = parseConfig({
    env: {
      MINICHAIN_NODE_NODE_ID: 'node-1',
      MINICHAIN_NODE_DATA_DIR: dataDir,
      MINICHAIN_NODE_HTTP_PORT: String(port),
      MINICHAIN_NODE_P2P_PORT: '0',
      MINICHAIN_BLOCKCHAIN_DIFFICULTY: '0',
      MINICHAIN_BLOCKCHAIN_AUTO_MINE: 'false',
    },
  });
  const node = await createNode(config, { logger: silentLog });
  await node.listen();
  const url = `http://127.0.0.1:${port}/transactions/${id}/proof`;
  const file = `${dataDir}/proof.json`;
  await sleep(SETTLE_MS);
  const watch = new TurnWatch();
  watch.start();
  // Into a file, because taking it over as a message would count as a turn of the node.
  const client = new Worker(CLIENT, { eval: true, workerData: { url, file } });
  let servedMs = 0;
  client.on('message', (tookMs: number) => (servedMs = tookMs));
  await once(client, 'exit');
  const turn = watch.stop();
  const text = readFileSync(file, 'utf8');
  await node.close();
  return { text, servedMs, turn };
}
