import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, temporaryDirectory } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';

const LAUNCHER = resolve('scripts/minichain.mjs');

/** How people and their tools start and stop nodes. Linux alone shows the processes of others in /proc. */
describe.runIf(process.platform === 'linux')('a node that is started by', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let parent: ChildProcess;
  let url: string;
  let env: Record<string, string>;
  let nodePid: number | undefined;

  beforeEach(async () => {
    directory = temporaryDirectory();
    nodePid = undefined;
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    env = {
      PATH: process.env['PATH']!,
      HOME: directory.path,
      MINICHAIN_NODE_NODE_ID: 'node-1',
      MINICHAIN_NODE_HTTP_PORT: String(port),
      MINICHAIN_NODE_P2P_PORT: String(await freePort()),
      MINICHAIN_NODE_DATA_DIR: `${directory.path}/data`,
    };
  });
  afterEach(() => {
    if (nodePid !== undefined && existsSync(`/proc/${nodePid}`)) process.kill(nodePid, 'SIGKILL');
    directory.remove();
  });

  /** @returns the process id of the node, once it is ready. */
  async function start(command: string, args: readonly string[]): Promise<number> {
    parent = spawn(command, args, { env, stdio: 'ignore' });
    await waitFor('the node is ready', async () => (await fetch(`${url}/health/ready`)).ok, 60_000);
    nodePid = pidOfOwner(`${directory.path}/data/`);
    return nodePid!;
  }

  async function kill(signal: NodeJS.Signals): Promise<void> {
    const ended = new Promise((done) => parent.once('exit', done));
    parent.kill(signal);
    await ended;
  }

  it.each(['SIGTERM', 'SIGKILL'] as const)('npx ends when npx ends by %s', async (signal) => {
    const pid = await start('npx', ['minichain', 'start']);
    await kill(signal);
    await waitFor('the node has ended', () => !existsSync(`/proc/${pid}`), 20_000);
  });

  it('a shell outlives the shell, also with variables that npm has left there', async () => {
    Object.assign(env, { npm_lifecycle_event: 'code', npm_execpath: '/usr/lib/npm-cli.js' });
    const pid = await start('/bin/sh', ['-c', `"${process.execPath}" "${LAUNCHER}" start & wait`]);
    await kill('SIGKILL');
    await waitFor('it has another parent', () => parentOf(pid) !== parent.pid);
    // Longer than it takes to notice.
    const endMs = performance.now() + 1_500;
    await waitFor('time has passed', () => performance.now() > endMs);
    expect((await fetch(`${url}/health/ready`)).ok).toBe(true);
  });

  it('nohup survives the end of its terminal', async () => {
    const pid = await start('nohup', [process.execPath, LAUNCHER, 'start']);
    process.kill(pid, 'SIGHUP');
    expect((await fetch(`${url}/blocks`, { method: 'POST', body: '{"data":"still here"}' })).status).toBe(202);
    await kill('SIGTERM');
    expect(parent.exitCode).toBe(0);
  });

  it('a user whose home directory cannot be written works', async () => {
    env['HOME'] = '/dev/null/nowhere';
    await start(process.execPath, [LAUNCHER, 'start']);
    await kill('SIGTERM');
    expect(parent.exitCode).toBe(0);
  });
});

/** The process that has a file below this path open. */
function pidOfOwner(path: string): number | undefined {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => openFiles(pid).some((file) => file.startsWith(path)));
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}
