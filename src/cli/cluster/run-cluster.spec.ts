import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../test/support/node-process.js';
import type { Terminal } from '../terminal.js';
import { planCluster, type PlannedNode } from './plan-cluster.js';
import { runCluster } from './run-cluster.js';

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
  if (mode === 'dying') process.exit(7);
  response.end(JSON.stringify({ nodeId: id, peers: { connected: 2, known: 2 } }));
}).listen(Number(port), '127.0.0.1');
`;

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
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
    const cluster = runCluster({ nodes, launcher, signals }, terminal());
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
    const cluster = runCluster({ nodes: await plan(env), launcher, signals }, terminal(env));
    await waitForOutput('three nodes connected');
    signals.emit('SIGTERM');
    await cluster;
    expect(out).toContain('\u001b[36mn1 |\u001b[39m half a line\n');
    expect(out).toContain('\u001b[35mn2 |\u001b[39m half a line\n');
  });

  it('when a node ends by itself: stops the others and names it with its exit code', async () => {
    const env = { ...process.env, STUB_n2: 'dying' };
    const cluster = runCluster({ nodes: await plan(env), launcher, signals }, terminal());
    await expect(cluster).rejects.toThrow('n2 ended unexpectedly (exit code 7)');
    expect(err).toContain('n2 has ended, stopping 2 nodes ...\n');
    expect(out).not.toContain('connected in');
  });

  it('kills what does not stop in time', async () => {
    const env = { ...process.env, STUB_n3: 'stubborn' };
    const cluster = runCluster({ nodes: await plan(env), launcher, signals, stopTimeoutMs: 200 }, terminal());
    await waitForOutput('three nodes connected');
    signals.emit('SIGTERM');
    await cluster;
    expect(err).toContain('n3 does not stop, killing it\n');
  });

  it('kills at once on a second signal', async () => {
    const env = { ...process.env, STUB_n1: 'stubborn', STUB_n2: 'stubborn' };
    const cluster = runCluster({ nodes: await plan(env), launcher, signals, stopTimeoutMs: 3_600_000 }, terminal());
    await waitForOutput('three nodes connected');
    const impatience = setInterval(() => signals.emit('SIGINT'), 50);
    await cluster.finally(() => clearInterval(impatience));
    expect(err).toContain('all stopped\n');
    expect(err).not.toContain('does not stop');
  });

  it('starts nothing when ports are taken: names all of them', async () => {
    const nodes = await plan();
    const { httpPort } = nodes[0]!.config.node;
    const { p2pPort } = nodes[2]!.config.node;
    const holders = await Promise.all([listen(httpPort), listen(p2pPort)]);
    for (const holder of holders) holder.on('connection', (socket) => socket.destroy());
    await expect(runCluster({ nodes, launcher, signals }, terminal())).rejects.toThrow(
      `ports are taken: ${httpPort} (REST of n1), ${p2pPort} (gRPC of n3); stop what holds them (\`lsof -i :${httpPort}\``,
    );
    expect(out + err).toBe('');
    for (const holder of holders) holder.close();
  });
});
