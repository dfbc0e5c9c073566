import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { freePort, temporaryDirectory } from '../support/node-process.js';
import { median, type Report } from './report.js';

const ROUNDS = 5;

/** `npm start`, already built: from the command to the line that says that three nodes are connected. */
export async function run(): Promise<Report> {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await bareStarts());
    ours.push(await clusterStart());
  }
  return {
    name: `launch of three nodes, medians of ${ROUNDS} rounds`,
    rows: [
      {
        label: 'minichain cluster: command to full mesh of three',
        value: median(ours),
        unit: 'ms',
        ratio: median(ours) / median(bare),
      },
      { label: 'three bare node:http servers at once (baseline)', value: median(bare), unit: 'ms' },
    ],
  };
}

async function clusterStart(): Promise<number> {
  const directory = temporaryDirectory();
  const startMs = performance.now();
  const child = spawn(process.execPath, ['scripts/minichain.mjs', 'cluster', '--data-dir', directory.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await textOf(child, /nodes connected in/);
    return performance.now() - startMs;
  } finally {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
    directory.remove();
  }
}

async function bareStarts(): Promise<number> {
  const startMs = performance.now();
  const script = fileURLToPath(new URL('bare-server.js', import.meta.url));
  const children = await Promise.all(
    [0, 1, 2].map(async () => {
      const child = spawn(process.execPath, [script, String(await freePort()), 'parse'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await textOf(child, /listening/);
      return child;
    }),
  );
  const tookMs = performance.now() - startMs;
  for (const child of children) child.kill('SIGKILL');
  return tookMs;
}

function textOf(child: ChildProcess, pattern: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      text += String(chunk);
      if (pattern.test(text)) resolve();
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${text}`)));
  });
}
