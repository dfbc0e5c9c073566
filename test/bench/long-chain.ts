import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/common/clock.js';
import { linkHeader } from '../../src/consensus/block-tree.js';
import { createParams } from '../../src/consensus/params.js';
import { acceptBatch, mineChain, openChain } from '../support/chain-builders.js';
import { NodeProcess, freePort, temporaryDirectory } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';
import { median, type Report } from './report.js';

const BLOCKS = 10_000;
const BATCH = 256;
const ROUNDS = 3;
const RESTARTS = 5;
/** Nearly every nonce is good, so that building the chain takes no time; what is measured checks it all the same. */
const SETTINGS = { BLOCKCHAIN_DIFFICULTY: '0', BLOCKCHAIN_AUTO_MINE: 'false', NODE_LOG_LEVEL: 'warn' };

/** Late joiner, restart and memory at 10,000 blocks of one entry each. */
export async function run(): Promise<Report> {
  const directory = temporaryDirectory();
  const params = createParams({ network: 'minichain', difficulty: 0 });
  const genesis = linkHeader(params.genesis.hash, params.genesis.header, undefined);
  const { blocks } = mineChain(genesis, BLOCKS, (index) => [`entry ${index} ${'x'.repeat(100)}`]);
  const build = (dataDir: string): number => {
    const node = openChain({ dataDir, params, clock: systemClock });
    const startMs = performance.now();
    for (let at = 0; at < BLOCKS; at += BATCH) acceptBatch(node.chain, blocks.slice(at, at + BATCH));
    const seconds = (performance.now() - startMs) / 1000;
    node.close();
    return BLOCKS / seconds;
  };
  const local: number[] = [build(`${directory.path}/node-1`)];
  const joined: number[] = [];
  const restarts: number[] = [];
  const bare: number[] = [];
  let memoryMiB = 0;
  try {
    const one = await (await NodeProcess.create('node-1', `${directory.path}/node-1`, SETTINGS)).spawn().ready();
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) local.push(build(`${directory.path}/local-${round}`));
      const late = await NodeProcess.create('node-2', `${directory.path}/late-${round}`, SETTINGS);
      late.spawn([one]);
      const startMs = await waitFor('sync begins', async () => (await heightOf(late)) >= 0 && performance.now());
      await waitFor('sync ends', async () => (await heightOf(late)) === BLOCKS, 120_000);
      joined.push(BLOCKS / ((performance.now() - startMs) / 1000));
      await late.kill();
    }
    await one.kill();
    for (let round = 0; round < RESTARTS; round++) {
      bare.push(await bareStart());
      const startMs = performance.now();
      one.spawn();
      await waitFor('height is served', async () => (await heightOf(one)) === BLOCKS);
      restarts.push(performance.now() - startMs);
      memoryMiB = residentMiB(one.pid!);
      await one.kill();
    }
  } finally {
    directory.remove();
  }
  return {
    name: `a chain of ${BLOCKS} blocks`,
    rows: [
      {
        label: 'late joiner, from its first answer to the last block',
        value: median(joined),
        unit: 'blocks/s',
        ratio: median(joined) / median(local),
      },
      { label: 'same blocks straight into the chain (baseline)', value: median(local), unit: 'blocks/s' },
      {
        label: 'restart: process start to height served',
        value: median(restarts),
        unit: 'ms',
        ratio: median(restarts) / median(bare),
      },
      { label: 'bare node:http server: process start to answer (baseline)', value: median(bare), unit: 'ms' },
      { label: 'resident memory after restart', value: memoryMiB, unit: 'MiB' },
    ],
  };
}

async function heightOf(node: NodeProcess): Promise<number> {
  return (await node.get<{ height: number }>('/status')).height;
}

async function bareStart(): Promise<number> {
  const port = await freePort();
  const startMs = performance.now();
  const script = fileURLToPath(new URL('bare-server.js', import.meta.url));
  const child = spawn(process.execPath, [script, String(port), 'parse'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await fetch(`http://127.0.0.1:${port}/`);
  const tookMs = performance.now() - startMs;
  child.kill('SIGKILL');
  return tookMs;
}

function residentMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
