import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync, readSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort, temporaryDirectory } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';

const LAUNCHER = resolve('scripts/minichain.mjs');
const LIMIT_MS = 12_000;

let cleanUp: (() => void)[] = [];

afterEach(() => {
  for (const task of cleanUp.toReversed()) task();
  cleanUp = [];
});

interface Logged {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Runs `minichain <args>`, and waits until the node at `port` is ready. */
async function run(
  args: readonly string[],
  { stdout, port, env = {} }: { readonly stdout: number; readonly port: number; readonly env?: NodeJS.ProcessEnv },
): Promise<Logged> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    env: {
      PATH: process.env['PATH'],
      MINICHAIN_NODE_LOG_LEVEL: 'debug',
      MINICHAIN_BLOCKCHAIN_DIFFICULTY: '0',
      MINICHAIN_BLOCKCHAIN_THREADS: '1',
      ...env,
    },
    stdio: ['ignore', stdout, 'ignore'],
  });
  cleanUp.push(() => void child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  await waitFor('it is ready', async () => (await fetch(`${url}/health/ready`)).ok, 30_000);
  return { url, child };
}

/** A node whose log goes to `stdout`. */
async function start(stdout: number, logFormat = 'json'): Promise<Logged> {
  const directory = temporaryDirectory();
  cleanUp.push(() => directory.remove());
  const port = await freePort();
  const env = {
    MINICHAIN_NODE_NODE_ID: 'node-1',
    MINICHAIN_NODE_DATA_DIR: join(directory.path, 'data'),
    MINICHAIN_NODE_HTTP_PORT: String(port),
    MINICHAIN_NODE_P2P_PORT: String(await freePort()),
    MINICHAIN_NODE_LOG_FORMAT: logFormat,
  };
  return run(['start'], { stdout, port, env });
}

async function mine({ url }: Logged, blocks: number): Promise<void> {
  const answer = await fetch(`${url}/mine`, { method: 'POST', body: JSON.stringify({ blocks }) });
  expect(answer.status).toBe(200);
}

async function dropped({ url }: Logged): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^minichain_log_lines_dropped_total\{[^}]*\} (\d+)$/m.exec(text)?.[1]);
}

/** @returns its exit code, or the signal that ended it. */
async function stop({ child }: Logged): Promise<number | NodeJS.Signals> {
  child.kill('SIGTERM');
  return waitFor('it ends', () => child.exitCode ?? child.signalCode ?? undefined, LIMIT_MS);
}

/** A pipe that nobody reads until told to. */
class Pipe {
  readonly #reader: number;
  readonly writer: number;

  constructor(directory: string) {
    const path = join(directory, 'pipe');
    spawnSync('mkfifo', [path]);
    this.#reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    this.writer = openSync(path, constants.O_WRONLY);
    cleanUp.push(() => closeSync(this.writer));
  }

  /** What is in the pipe now. */
  read(): string {
    const buffer = Buffer.alloc(1 << 20);
    try {
      return buffer.toString('utf8', 0, readSync(this.#reader, buffer));
    } catch {
      return '';
    }
  }

  closeReader(): void {
    closeSync(this.#reader);
  }
}

function pipe(): Pipe {
  const directory = temporaryDirectory();
  cleanUp.push(() => directory.remove());
  return new Pipe(directory.path);
}

describe('a node whose log cannot be written', () => {
  it.runIf(existsSync('/dev/full')).each(['json', 'pretty'])(
    'because the disk is full works on, counts, and ends (log_format %s)',
    async (logFormat) => {
      const fd = openSync('/dev/full', 'w');
      cleanUp.push(() => closeSync(fd));
      const node = await start(fd, logFormat);
      await mine(node, 10);
      await waitFor('lines are dropped', async () => (await dropped(node)) > 10);
      expect(await stop(node)).toBe(0);
    },
  );

  it('because its reader has gone works on, counts, and ends', async () => {
    const reader = pipe();
    const node = await start(reader.writer);
    await waitFor('it logs', () => reader.read() !== '');
    reader.closeReader();
    await mine(node, 10);
    await waitFor('lines are dropped', async () => (await dropped(node)) > 10);
    expect(await stop(node)).toBe(0);
  });

  it('because nobody reads works on, says so once somebody does, and ends', async () => {
    const reader = pipe();
    const node = await start(reader.writer);
    await waitFor(
      'lines are dropped',
      async () => {
        await mine(node, 500);
        return (await dropped(node)) > 0;
      },
      60_000,
    );
    let log = '';
    await waitFor('it says how many', () => {
      log += reader.read();
      return /"msg":"\d+ log lines were dropped/.test(log);
    });
    expect(log.match(/log lines? (was|were) dropped/g)).toHaveLength(1);
    for (const line of log.split('\n').slice(0, -1)) expect(() => JSON.parse(line)).not.toThrow();
    expect(await stop(node)).toBe(0);
  });

  it('ends although nobody reads', async () => {
    const reader = pipe();
    const node = await start(reader.writer, 'pretty');
    await mine(node, 1_000);
    expect((await fetch(`${node.url}/health/live`)).status).toBe(200);
    expect(await stop(node)).toBe(0);
  });
});

it('a cluster whose output nobody reads works on, and ends', async () => {
  const directory = temporaryDirectory();
  cleanUp.push(() => directory.remove());
  const reader = pipe();
  const args = ['cluster', '--nodes', '1', '--config-dir', directory.path, '--data-dir', directory.path];
  const port = await freePort();
  const config = `[node]\nnode_id = "node-1"\nhttp_port = ${port}\np2p_port = ${await freePort()}\n`;
  writeFileSync(join(directory.path, 'node1.toml'), config);
  const cluster = await run(args, { stdout: reader.writer, port });
  for (let n = 0; n < 5; n++) await mine(cluster, 1_000);
  expect((await fetch(`${cluster.url}/health/live`)).status).toBe(200);
  expect(await stop(cluster)).toBe(0);
});

describe('a node that crashes', () => {
  /** Loaded into the node's process: a mistake in its code, on demand. */
  const CRASHER = `process.on('SIGUSR2', () => { throw new Error('a mistake ' + 'x'.repeat(200_000)); });`;

  /** The directory of a node to come, the command that starts it there, and its environment. */
  async function crashing(): Promise<{ path: string; command: string[]; env: NodeJS.ProcessEnv }> {
    const directory = temporaryDirectory();
    cleanUp.push(() => directory.remove());
    const crasher = join(directory.path, 'crasher.mjs');
    writeFileSync(crasher, CRASHER);
    const env = {
      PATH: process.env['PATH'],
      MINICHAIN_NODE_NODE_ID: 'node-1',
      MINICHAIN_NODE_DATA_DIR: join(directory.path, 'data'),
      MINICHAIN_NODE_HTTP_PORT: String(await freePort()),
      MINICHAIN_NODE_P2P_PORT: String(await freePort()),
      MINICHAIN_BLOCKCHAIN_THREADS: '1',
    };
    return { path: directory.path, command: [process.execPath, '--import', crasher, LAUNCHER, 'start'], env };
  }

  const isUp = ({ MINICHAIN_NODE_HTTP_PORT: port }: NodeJS.ProcessEnv): Promise<true> =>
    waitFor('it is up', async () => (await fetch(`http://127.0.0.1:${port}/health/live`)).ok, 30_000);

  it.each(['pipe', 'unread pipe'])('ends with code 1, whether or not anybody reads its report (%s)', async (kind) => {
    const { command, env } = await crashing();
    const stderr = kind === 'pipe' ? kind : pipe().writer;
    const child = spawn(command[0]!, command.slice(1), { env, stdio: ['ignore', 'ignore', stderr] });
    cleanUp.push(() => void child.kill('SIGKILL'));
    let report = '';
    child.stderr?.on('data', (chunk) => (report += String(chunk)));
    await isUp(env);
    child.kill('SIGUSR2');
    expect(await waitFor('it ends', () => child.exitCode ?? child.signalCode ?? undefined, LIMIT_MS)).toBe(1);
    if (kind === 'pipe') expect(report).toMatch(/^minichain: crashed: Error: a mistake x{200000}\n +at /);
  });

  it.runIf(existsSync('/usr/bin/script'))('ends with code 1 also where its terminal is paused', async () => {
    const { path, command, env } = await crashing();
    const files = { pid: join(path, 'pid'), code: join(path, 'code') };
    const run = `'${command.join("' '")}' >/dev/null & echo $! >'${files.pid}'; wait $!; echo $? >'${files.code}'`;
    // The terminal of `script` takes no more once nobody reads what that passes on.
    const script = spawn('script', ['-qc', run, '/dev/null'], { env, stdio: ['ignore', pipe().writer, 'ignore'] });
    cleanUp.push(() => void script.kill('SIGKILL'));
    await isUp(env);
    const pid = Number(readFileSync(files.pid, 'utf8'));
    cleanUp.push(() => void (existsSync(files.code) || process.kill(pid, 'SIGKILL')));
    process.kill(pid, 'SIGUSR2');
    await waitFor('it ends', () => existsSync(files.code) && readFileSync(files.code, 'utf8') !== '', LIMIT_MS);
    expect(readFileSync(files.code, 'utf8')).toBe('1\n');
  });
});

describe('a command whose output cannot be written', () => {
  const shell = (command: string): { status: number | null; stderr: string } =>
    spawnSync('bash', ['-c', command], { encoding: 'utf8', timeout: 60_000 });
  const minichain = `"${process.execPath}" "${LAUNCHER}"`;

  it.runIf(existsSync('/dev/full'))('because the disk is full says so in one line', () => {
    const { status, stderr } = shell(`${minichain} start --help >/dev/full`);
    expect([status, stderr]).toEqual([
      1,
      'minichain: cannot write to standard output: ENOSPC: no space left on device, write\n',
    ]);
  });

  it('because its reader has gone ends without a word', () => {
    const { status, stderr } = shell(`${minichain} start --help | true; exit $((PIPESTATUS[0]))`);
    expect(stderr).toBe('');
    expect([0, 141]).toContain(status);
  });
});
