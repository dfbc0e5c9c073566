import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NodeProcess, temporaryDirectory } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';
import { WITHOUT_OVERRIDE } from '../support/without-override.js';

const ME = process.getuid?.() ?? -1;

/** As the image sets it: all interfaces, one JSON object a line. */
const IN_CONTAINER = { NODE_HTTP_HOST: '0.0.0.0', NODE_P2P_HOST: '0.0.0.0', NODE_LOG_FORMAT: 'json' };

describe('a node that cannot start ends with one line', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let held: Server | undefined;

  beforeEach(() => {
    directory = temporaryDirectory();
  });

  afterEach(() => {
    held?.close();
    held = undefined;
    directory.remove();
  });

  /** Exit code and all that is written, to stdout and stderr together. */
  const outcome = async (
    settings: Record<string, string>,
    dataDir = join(directory.path, 'data'),
  ): Promise<{ exit: unknown; output: string }> => {
    const all = { ...IN_CONTAINER, ...settings };
    const node = (await NodeProcess.create('node-1', dataDir, all, WITHOUT_OVERRIDE)).spawn();
    try {
      return { exit: await waitFor('it ends', () => node.exit ?? undefined), output: node.output };
    } finally {
      if (node.exit === null) await node.kill('SIGKILL');
    }
  };
  const path = (name: string): string => join(directory.path, name);
  /** A directory that others may read and nobody write to. */
  const sealed = (name: string): string => {
    mkdirSync(path(name));
    chmodSync(path(name), 0o555);
    return path(name);
  };

  it.each(['json', 'pretty'])('on a data directory that it may not write to (log_format %s)', async (logFormat) => {
    const dataDir = sealed('data');
    expect(await outcome({ NODE_LOG_FORMAT: logFormat }, dataDir)).toEqual({
      exit: 1,
      output: `minichain: data directory ${dataDir} is not writable for uid ${ME}: chown it to that user, or set node.data_dir (MINICHAIN_NODE_DATA_DIR) to another directory\n`,
    });
  });

  it('on a data directory that it may not make', async () => {
    const parent = sealed('volumes');
    const { exit, output } = await outcome({}, join(parent, 'a', 'b'));
    expect(exit).toBe(1);
    expect(output).toMatch(
      new RegExp(
        `^minichain: data directory ${parent}/a/b cannot be made, ${parent} is not writable for uid ${ME}: .*\n$`,
      ),
    );
  });

  it.each(['node.lock', 'node.db'])('on a %s that belongs to another user', async (name) => {
    mkdirSync(path('data'));
    writeFileSync(path(`data/${name}`), '');
    chmodSync(path(`data/${name}`), 0o444);
    if (ME === 0) chownSync(path(`data/${name}`), 12_345, 12_345);
    const { exit, output } = await outcome({});
    expect(exit).toBe(1);
    expect(output).toMatch(
      new RegExp(`^minichain: database file ${path(`data/${name}`)} is not writable for uid ${ME}: chown.*\n$`),
    );
  });

  it.each([
    ['a file', '', /is not a directory: set node\.data_dir \(MINICHAIN_NODE_DATA_DIR\)/],
    ['below a file', '/a/b', /cannot be made, .* is not a directory: set node\.data_dir/],
  ])('on a data directory that is %s', async (_what, below, expected) => {
    writeFileSync(path('file'), '');
    const { exit, output } = await outcome({}, path('file') + below);
    expect(exit).toBe(1);
    expect(output).toMatch(expected);
    expect(output).toMatch(/^minichain: data directory [^\n]*\n$/);
  });

  it('on a data directory where the system makes none', async () => {
    const { exit, output } = await outcome({}, '/proc/minichain/data');
    expect(exit).toBe(1);
    expect(output).toMatch(/^minichain: data directory \/proc\/minichain\/data cannot be made, [^\n]*\n$/);
  });

  it.each([
    ['HTTP_PORT', 'REST'],
    ['P2P_PORT', 'gRPC'],
  ])('on a taken %s', async (key, use) => {
    held = createServer();
    const port = await new Promise<number>((resolve, reject) => {
      held!.once('error', reject).listen(0, '0.0.0.0', () => resolve((held!.address() as { port: number }).port));
    });
    const { exit, output } = await outcome({ [`NODE_${key}`]: String(port) });
    expect(exit).toBe(1);
    expect(output).toMatch(
      new RegExp(`^minichain: port is taken: ${port} \\(${use} of node-1\\); .*\\(MINICHAIN_NODE_${key}\\)\n$`),
    );
  });

  it('on an address that is not of this machine', async () => {
    const { exit, output } = await outcome({ NODE_P2P_HOST: '192.0.2.1' });
    expect(exit).toBe(1);
    expect(output).toMatch(
      /^minichain: cannot listen on 192\.0\.2\.1, .* correct node\.p2p_host \(MINICHAIN_NODE_P2P_/,
    );
  });

  it('on a wrong value in the environment', async () => {
    expect(await outcome({ BLOCKCHAIN_DIFFICULTY: 'high' })).toEqual({
      exit: 2,
      output: 'minichain: MINICHAIN_BLOCKCHAIN_DIFFICULTY: must be a whole number from 0 to 16, got "high"\n',
    });
  });

  it('on files of mTLS that are not there, or that it may not read', async () => {
    writeFileSync(path('node.key'), 'secret');
    chmodSync(path('node.key'), 0o000);
    const { exit, output } = await outcome({
      NETWORK_TLS_CA: path('ca.crt'),
      NETWORK_TLS_CERT: path('node.crt'),
      NETWORK_TLS_KEY: path('node.key'),
    });
    expect(exit).toBe(2);
    expect(output.trimEnd().split('\n')).toEqual([
      `minichain: MINICHAIN_NETWORK_TLS_CA: "${path('ca.crt')}" does not exist`,
      `minichain: MINICHAIN_NETWORK_TLS_CERT: "${path('node.crt')}" does not exist`,
      `minichain: MINICHAIN_NETWORK_TLS_KEY: "${path('node.key')}" is not readable for uid ${ME}: chown it to that user, or chmod it`,
    ]);
  });
});
