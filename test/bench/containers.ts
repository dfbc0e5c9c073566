import { execFileSync } from 'node:child_process';
import { engineProblem } from '../support/docker-engine.js';
import { waitFor } from '../support/wait.js';
import { median, type Report } from './report.js';

const ROUNDS = 5;
const IMAGE = 'minichain:local';
const PROJECT = 'minichain-bench';
const SERVICES = ['node1', 'node2', 'node3'];
const PORTS = [8091, 8092, 8093];
const LIMIT_MS = 60_000;
const BARE = "require('node:http').createServer((_, answer) => answer.end('ok')).listen(8091)";

/** `docker compose up -d` of the shipped file, image built before: until three nodes are healthy and connected. */
export async function run(): Promise<Report> {
  const problem = await engineProblem();
  if (problem !== undefined) return { name: `launch of three containers: left out, ${problem}`, rows: [] };
  compose('build', 'node1');
  const megabytes = Number(docker('image', 'inspect', '--format', '{{.Size}}', IMAGE)) / 1e6;
  const answering: number[] = [];
  const healthy: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(await bareStart());
    const took = await composeStart();
    answering.push(took.connectedMs);
    healthy.push(took.healthyMs);
  }
  return {
    name: `launch of three containers, medians of ${ROUNDS} rounds (healthy: asked every 5 s)`,
    rows: [
      {
        label: 'docker compose up -d to three connected nodes',
        value: median(answering),
        unit: 'ms',
        ratio: median(answering) / median(bare),
      },
      {
        label: 'the same to three healthy connected nodes',
        value: median(healthy),
        unit: 'ms',
        ratio: median(healthy) / median(bare),
      },
      { label: 'three bare node:http servers in that image (baseline)', value: median(bare), unit: 'ms' },
      { label: 'image', value: megabytes, unit: 'MB' },
    ],
  };
}

async function composeStart(): Promise<{ readonly connectedMs: number; readonly healthyMs: number }> {
  const startMs = performance.now();
  try {
    compose('up', '-d', ...SERVICES);
    await waitFor('all are connected', async () => (await connected()).every((count) => count === 2), LIMIT_MS);
    const connectedMs = performance.now() - startMs;
    const ids = compose('ps', '-q', ...SERVICES)
      .trim()
      .split('\n');
    await waitFor('all are healthy', () => healths(ids).every((health) => health === 'healthy'), LIMIT_MS);
    return { connectedMs, healthyMs: performance.now() - startMs };
  } finally {
    compose('down', '--volumes');
  }
}

async function bareStart(): Promise<number> {
  const startMs = performance.now();
  const ids = PORTS.map((port) =>
    docker('run', '-d', '--publish', `127.0.0.1:${port}:8091`, '--entrypoint', 'node', IMAGE, '-e', BARE).trim(),
  );
  try {
    await Promise.all(
      PORTS.map((port) => waitFor('it answers', async () => (await fetch(`http://127.0.0.1:${port}/`)).ok, LIMIT_MS)),
    );
    return performance.now() - startMs;
  } finally {
    docker('rm', '--force', '--volumes', ...ids);
  }
}

function connected(): Promise<number[]> {
  return Promise.all(
    PORTS.map(async (port) => {
      const response = await fetch(`http://127.0.0.1:${port}/peers`);
      return ((await response.json()) as { connected: number }).connected;
    }),
  );
}

function healths(ids: readonly string[]): string[] {
  return docker('inspect', '--format', '{{.State.Health.Status}}', ...ids)
    .trim()
    .split('\n');
}

function compose(...args: readonly string[]): string {
  return docker('compose', '--project-name', PROJECT, ...args);
}

function docker(...args: readonly string[]): string {
  return execFileSync('docker', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, MINICHAIN_IMAGE: IMAGE },
  });
}
