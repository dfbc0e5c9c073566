import { EventEmitter } from 'node:events';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../test/support/node-process.js';
import type { Terminal } from '../terminal.js';
import { planCluster, type PlannedNode } from './plan-cluster.js';
import { askCluster } from './control-socket.js';
import { runCluster, type ClusterOptions } from './run-cluster.js';

/**
 * Stands for a node's process: answers as a node does that has two peers, says what it receives, and misbehaves as
 * STUB_<its index> says. What it does on the end of its parent's channel is start's business, not the cluster's.
 */
const STUB = `
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
const toml = readFileSync(process.argv[4], 'utf8');
const [id, port] = [/node_id = "(.*)"/, /http_port = (.*)/].map((pattern) => pattern.exec(toml)[1]);
const mode = process.env['STUB_' + id] ?? 'good';
process.stdout.write('half a ');
process.stdout.write('line\\nlast line without an end');
process.stderr.write('channel ' + process.connected + '\\n');
process.on('SIGTERM', () => {
  if (mode === 'stubborn') return;
  process.stdout.write('\\nstopping\\n');
  process.exit(0);
});
createServer((request, response) => {
  if (mode === 'dying' || request.url === '/die') {
    process.stderr.write('/x.js:1\\nError: no luck\\n    at x.js:1\\n\\nNode.js v24\\n');
    process.exit(7);
  }
  response.end(JSON.stringify({ nodeId: id, peers: { connected: 2, known: 2 } }));
}).listen(Number(port), '127.0.0.1');
`;

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

/** Listens there in a process that is killed. */
async function leaveSocketBehind(path: string): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  const code = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  await new Promise((resolve) => execFile(process.execPath, ['-e', code, path], resolve));
  expect(existsSync(path)).toBe(true);
}

describe('runCluster', () => {
  let directory: string;
  let launcher: string;
  let out: string;
  let err: string;
  let signals: EventEmitter;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'minichain-cluster-'));
    launcher = join(directory, 'stub.mjs');
    writeFileSync(launcher, STUB);
    [out, err, signals] = ['', '', new EventEmitter()];
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function common(): Omit<ClusterOptions, 'nodes'> {
    const controlPath = join(directory, 'data', 'cluster.sock');
    return { launcher, signals, controlPath, startCommand: (nodeId) => `minichain cluster start ${nodeId}` };
  }

  function terminal(env: Terminal['env'] = {}): Terminal {
    return {
      env,
      stdin: Readable.from([]),
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
    };
  }

  async function plan(env: Terminal['env'] = {}): Promise<PlannedNode[]> {
    const ports = await Promise.all(Array.from({ length: 6 }, freePort));
    for (const n of [1, 2, 3]) {
      const toml = `[node]\nnode_id = "n${n}"\nhttp_port = ${ports[n - 1]}\np2p_port = ${ports[n + 2]}\n`;
      writeFileSync(join(directory, `node${n}.toml`), toml);
    }
    return planCluster({ nodes: 3, configDir: directory, dataDir: undefined, env });
  }

  async function waitForOutput(text: string): Promise<void> {
    await vi.waitFor(() => expect(out).toContain(text), { timeout: 15_000, interval: 20 });
  }

  it('relays logs line by line, says where the nodes are, and stops them on a signal', async () => {
    const nodes = await plan();
    const cluster = runCluster({ nodes, ...common() }, terminal());
    await waitForOutput('three nodes connected in ');
    const url = `http://127.0.0.1:${nodes[0]!.config.node.httpPort}`;
    expect(out).toContain(`n1  ${url}  ${url}/docs  ${url}/metrics  ${url}/peers`);
    expect(out).toContain(`curl -X POST ${url}/blocks -H`);
    signals.emit('SIGINT');
    signals.emit('SIGINT'); // npm hands the same Ctrl-C on
    await cluster;
    expect(out.match(/^n[123] \| half a line$/gm)).toHaveLength(3);
    expect(out.match(/^n[123] \| last line without an end$/gm)).toHaveLength(3);
    expect(out.match(/^n[123] \| stopping$/gm)).toHaveLength(3);
    expect(err.match(/^n[123] \| channel true$/gm)).toHaveLength(3);
    expect(err).toMatch(/stopping 3 nodes \.\.\.\nall stopped\n$/);
    expect(signals.listenerCount('SIGINT')).toBe(0);
  });

  it('colours the prefixes where colours are wanted, and lets the nodes know', async () => {
    const env = { FORCE_COLOR: '1' };
    const cluster = runCluster({ nodes: await plan(env), ...common() }, terminal(env));
    await waitForOutput('three nodes connected');
    signals.emit('SIGTERM');
    await cluster;
    expect(out).toContain('\u001b[36mn1 |\u001b[39m half a line\n');
    expect(out).toContain('\u001b[35mn2 |\u001b[39m half a line\n');
  });

  it('when a node ends by itself: the others go on, and it can be started again', async () => {
    const env = { ...process.env, STUB_n2: 'dying' };
    const nodes = await plan(env);
    const cluster = runCluster({ nodes, ...common() }, terminal());
    await vi.waitFor(() => expect(err).toContain('n2 has ended'), { timeout: 15_000 });
    expect(err).toContain(
      'n2 has ended unexpectedly (exit code 7): Error: no luck; the others go on; start it again with `minichain cluster start n2`\n',
    );
    await waitForOutput('two nodes connected in ');
    const { controlPath } = common();
    const list = await askCluster(controlPath, { command: 'list' });
    expect(list.map(({ state, end }) => [state, end])).toEqual([
      ['running', null],
      ['ended', 'exit code 7'],
      ['running', null],
    ]);
    for (const [command, nodeId, code] of [
      ['start', 'n1', 'running-already'],
      ['stop', 'n2', 'not-running'],
      ['kill', 'n9', 'unknown-node'],
    ] as const) {
      await expect(askCluster(controlPath, { command, nodeId })).rejects.toThrow(`(${code})`);
    }
    const [started] = await askCluster(controlPath, { command: 'start', nodeId: 'n2' });
    expect(started).toMatchObject({ nodeId: 'n2', state: 'running', end: null });
    await vi.waitFor(() => expect(err.match(/^n2 \| channel true$/gm)).toHaveLength(2), { timeout: 15_000 });
    signals.emit('SIGTERM');
    await cluster;
    await expect(askCluster(controlPath, { command: 'list' })).rejects.toThrow(`no cluster answers at ${controlPath}`);
  });

  it('stops and kills one node on request, but not the last; ends with an error when all have ended', async () => {
    const nodes = await plan();
    // As a cluster leaves it that was killed.
    await leaveSocketBehind(common().controlPath);
    const cluster = runCluster({ nodes, ...common() }, terminal());
    await waitForOutput('three nodes connected');
    const { controlPath } = common();
    const [stopped] = await askCluster(controlPath, { command: 'stop', nodeId: 'n1' });
    expect(stopped).toMatchObject({ nodeId: 'n1', state: 'ended', end: 'exit code 0' });
    const [killed] = await askCluster(controlPath, { command: 'kill', nodeId: 'n3' });
    expect(killed).toMatchObject({ nodeId: 'n3', state: 'ended', end: 'killed by SIGKILL' });
    expect(err).toContain('n3 has ended as it was told; the others go on; start it again with');
    await expect(askCluster(controlPath, { command: 'kill', nodeId: 'n2' })).rejects.toThrow('(last-node)');
    const [outcome] = await Promise.allSettled([
      cluster,
      fetch(`http://127.0.0.1:${nodes[1]!.config.node.httpPort}/die`),
    ]);
    expect(outcome).toMatchObject({
      reason: { message: 'all nodes have ended: n1 (exit code 0), n2 (exit code 7), n3 (killed by SIGKILL)' },
    });
  });

  it('goes on without a control socket where there can be none', async () => {
    const nodes = await plan();
    const controlPath = join(directory, 'x'.repeat(200), 'cluster.sock');
    const cluster = runCluster({ nodes, ...common(), controlPath }, terminal());
    await waitForOutput('three nodes connected');
    expect(err).toContain('no control socket');
    signals.emit('SIGTERM');
    await cluster;
  });

  it('kills what does not stop in time', async () => {
    const env = { ...process.env, STUB_n3: 'stubborn' };
    const cluster = runCluster({ nodes: await plan(env), ...common(), stopTimeoutMs: 200 }, terminal());
    await waitForOutput('three nodes connected');
    signals.emit('SIGTERM');
    await expect(cluster).rejects.toThrow('not all nodes stopped well: n3 (killed by SIGKILL)');
    expect(err).toContain('n3 does not stop, killing it\n');
  });

  it('kills at once on a second signal', async () => {
    const env = { ...process.env, STUB_n1: 'stubborn', STUB_n2: 'stubborn' };
    const cluster = runCluster({ nodes: await plan(env), ...common(), stopTimeoutMs: 3_600_000 }, terminal());
    await waitForOutput('three nodes connected');
    const impatience = setInterval(() => signals.emit('SIGINT'), 50);
    await expect(cluster.finally(() => clearInterval(impatience))).rejects.toThrow('n2 (killed by SIGKILL)');
    expect(err).not.toContain('does not stop');
  });

  it('starts nothing when ports are taken: names all of them', async () => {
    const nodes = await plan();
    const { httpPort } = nodes[0]!.config.node;
    const { p2pPort } = nodes[2]!.config.node;
    const holders = await Promise.all([listen(httpPort), listen(p2pPort)]);
    for (const holder of holders) holder.on('connection', (socket) => socket.destroy());
    await expect(runCluster({ nodes, ...common() }, terminal())).rejects.toThrow(
      `ports are taken: ${httpPort} (REST of n1), ${p2pPort} (gRPC of n3); stop what holds them (\`lsof -i :${httpPort}\``,
    );
    expect(out + err).toBe('');
    for (const holder of holders) holder.close();
  });
});
