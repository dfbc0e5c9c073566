import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from '../../config/load-config.js';
import { planCluster } from '../cluster/plan-cluster.js';
import { secureCluster } from '../cluster/secure-cluster.js';
import { runCli } from '../run-cli.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'minichain-certs-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function certs(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(['certs', '--out', join(directory, 'certs'), ...argv], {
    env: {},
    stdin: Readable.from([]),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
  });
  return { code, out, err };
}

const path = (name: string): string => join(directory, 'certs', name);
const certificate = (name: string): X509Certificate => new X509Certificate(readFileSync(path(name)));
const daysUntil = (date: Date): number => Math.round((date.getTime() - Date.now()) / 86_400_000);

describe('minichain certs', () => {
  it('makes what each node can start with, by the configuration that it prints', async () => {
    const { code, out } = await certs('--nodes', 'node-1,node_2');
    expect(code).toBe(0);
    expect(readdirSync(path('.')).sort()).toEqual(
      ['ca.crt', 'ca.key', 'node-1.crt', 'node-1.key', 'node_2.crt', 'node_2.key'].sort(),
    );
    const blocks = out.trim().split('\n\n');
    expect(blocks).toHaveLength(2);
    for (const [index, block] of blocks.entries()) {
      const config = parseConfig({ toml: `[node]\nnode_id = "${['node-1', 'node_2'][index]}"\n${block}` });
      expect(config.network.tls?.ca).toContain('BEGIN CERTIFICATE');
    }
  });

  it('gives keys to their owner alone', async () => {
    await certs('--nodes', 'a');
    for (const name of ['ca.key', 'a.key']) expect(statSync(path(name)).mode & 0o777).toBe(0o600);
  });

  it('issues for both ends of a connection, with P-256, for the time asked', async () => {
    await certs('--nodes', 'node-1', '--days', '30', '--host', 'n1.example.org', '--host', '10.0.0.1');
    const [own, ca] = [certificate('node-1.crt'), certificate('ca.crt')];
    expect(own.subject).toBe('CN=node-1');
    expect(own.subjectAltName).toBe('DNS:node-1, DNS:n1.example.org, IP Address:10.0.0.1');
    expect(own.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    expect(own.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect([daysUntil(own.validFromDate), daysUntil(own.validToDate)]).toEqual([-1, 30]);
    expect([own.ca, ca.ca, own.checkIssued(ca), own.verify(ca.publicKey)]).toEqual([false, true, true, true]);
    expect(daysUntil(ca.validToDate)).toBe(3650);
  });

  it('adds a node to an authority, and touches nothing that is there', async () => {
    await certs('--nodes', 'node-1');
    const before = ['ca.crt', 'ca.key', 'node-1.crt', 'node-1.key'].map((name) => readFileSync(path(name), 'utf8'));
    expect((await certs('--nodes', 'node-2')).code).toBe(0);
    expect(certificate('node-2.crt').verify(certificate('ca.crt').publicKey)).toBe(true);
    const again = await certs('--nodes', 'node-3,node-1');
    expect(again.code).toBe(1);
    expect(again.err).toBe(
      `minichain: ${path('node-1.crt')}, ${path('node-1.key')} exist, and nothing is overwritten: move them away first\n`,
    );
    expect(readdirSync(path('.'))).not.toContain('node-3.crt');
    const after = ['ca.crt', 'ca.key', 'node-1.crt', 'node-1.key'].map((name) => readFileSync(path(name), 'utf8'));
    expect(after).toEqual(before);
  });

  it('refuses half an authority, another key, and to outlive it', async () => {
    await certs('--nodes', 'node-1');
    expect((await certs('--nodes', 'node-2', '--days', '5000')).err).toMatch(/ca\.crt itself runs out on 20\d\d-/);
    writeFileSync(path('ca.key'), readFileSync(path('node-1.key')));
    expect((await certs('--nodes', 'node-2')).err).toContain("are not an authority's certificate and its key");
    rmSync(path('ca.key'));
    expect((await certs('--nodes', 'node-2')).err).toContain('without its other half');
    expect(readdirSync(path('.'))).not.toContain('node-2.crt');
  });

  it.each([
    [['--nodes', 'a b'], '"a b" is no node id'],
    [['--nodes', '../x'], '"../x" is no node id'],
    [['--nodes', 'a,a'], 'stands there twice'],
    [['--nodes', 'CA'], "the name of the authority's files"],
    [['--nodes', 'a', '--host', 'https://x'], 'give a DNS name or an IP address'],
    [['--nodes', 'a', '--days', '0'], 'whole number'],
    [[], '--nodes'],
  ])('tells a mistake in %j', async (argv, expected) => {
    const { code, err } = await certs(...argv);
    expect([code, err.split('\n').length]).toEqual([2, 2]);
    expect(err).toContain(expected);
  });
});

describe('secureCluster', () => {
  it('gives each node its certificate, makes only what is missing, and keeps it', async () => {
    const configDir = join(import.meta.dirname, '../../../config');
    const plan = (nodes: number) => planCluster({ nodes, configDir, dataDir: directory, env: {} });
    const two = await secureCluster(plan(2), path('.'), Date.now());
    const four = await secureCluster(plan(4), path('.'), Date.now());
    expect(four.map(({ config }) => new X509Certificate(config.network.tls!.cert).subject)).toEqual(
      [1, 2, 3, 4].map((n) => `CN=node-${n}`),
    );
    expect(four.slice(0, 2).map(({ config }) => config.network.tls!.cert)).toEqual(
      two.map(({ config }) => config.network.tls!.cert),
    );
    for (const { env, configPath, config } of four) {
      expect(loadConfig({ path: configPath, env }).network.tls!.cert).toBe(config.network.tls!.cert);
    }
  });
});
