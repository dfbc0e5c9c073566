import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAuthority } from '../../test/support/certs.js';
import { parseConfig } from './load-config.js';
import { ConfigError, type NodeConfig } from './node-config.js';

let directory: string;
let own: Record<string, string>;
let others: Record<string, string>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'minichain-tls-'));
  own = await (await TestAuthority.create()).settings(join(directory, 'own'), 'a');
  others = await (await TestAuthority.create()).settings(join(directory, 'others'), 'a');
});
afterAll(() => rmSync(directory, { recursive: true }));

function parse(tls: Record<string, string>, nodeId = 'a'): NodeConfig {
  const env = Object.fromEntries(Object.entries(tls).map(([key, value]) => [`MINICHAIN_${key}`, value]));
  return parseConfig({ env: { MINICHAIN_NODE_NODE_ID: nodeId, ...env } });
}

function problems(tls: Record<string, string>, nodeId?: string): readonly string[] {
  try {
    parse(tls, nodeId);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

describe('[network.tls]', () => {
  it('off by default', () => {
    expect(parse({}).network.tls).toBeUndefined();
  });

  it('is read from a file as from the environment', () => {
    const lines = Object.entries(own).map(
      ([name, path]) => `${name.replace('NETWORK_TLS_', '').toLowerCase()} = ${JSON.stringify(path)}`,
    );
    const toml = `[node]\nnode_id = "a"\n[network]\nmax_peers = 3\n[network.tls]\n${lines.join('\n')}`;
    const { network } = parseConfig({ toml });
    expect(network.maxPeers).toBe(3);
    expect(network.tls).toMatchObject({ ca: expect.stringContaining('BEGIN CERTIFICATE') });
    expect(network.tls!.cert).toBe(parse(own).network.tls!.cert);
  });

  it('shows its key in no dump of the configuration', () => {
    const config = parse(own);
    const pem = String(config.network.tls!.key.export({ type: 'pkcs8', format: 'pem' }));
    const secret = pem.split('\n')[1]!;
    expect(JSON.stringify(config) + inspect(config, { depth: 9, showHidden: true })).not.toContain(secret);
  });

  it.each([
    [['CA'], 'MINICHAIN_NETWORK_TLS_CERT: ca, cert and key are given together or not at all; ca is missing'],
    [
      ['CA', 'KEY'],
      'MINICHAIN_NETWORK_TLS_CERT: ca, cert and key are given together or not at all; ca and key are missing',
    ],
  ])('wants all three: without %s', (left, expected) => {
    const rest = Object.fromEntries(
      Object.entries(own).filter(([name]) => !left.includes(name.replace('NETWORK_TLS_', ''))),
    );
    expect(problems(rest)).toEqual([expected]);
  });

  it('names all files that are of no use, at once, and shows nothing of what is in them', () => {
    expect(
      problems({
        NETWORK_TLS_CA: join(directory, 'none'),
        NETWORK_TLS_CERT: directory,
        NETWORK_TLS_KEY: file('junk', 'my-secret-junk'),
      }),
    ).toEqual([
      `MINICHAIN_NETWORK_TLS_CA: "${directory}/none" does not exist`,
      `MINICHAIN_NETWORK_TLS_CERT: "${directory}" cannot be read (it is a directory)`,
      `MINICHAIN_NETWORK_TLS_KEY: "${directory}/junk" is not a private key in PEM form`,
    ]);
  });

  it('tells of a file that cannot be read', () => {
    const path = `${file('no-directory', 'x')}/key.pem`;
    expect(problems({ ...own, NETWORK_TLS_KEY: path })).toEqual([
      `MINICHAIN_NETWORK_TLS_KEY: "${path}" cannot be read (ENOTDIR)`,
    ]);
  });

  it('refuses what does not belong together', () => {
    expect(problems({ ...own, NETWORK_TLS_KEY: others['NETWORK_TLS_KEY']! })).toEqual([
      'MINICHAIN_NETWORK_TLS_KEY: is not the key of the certificate in network.tls.cert',
    ]);
    expect(problems({ ...own, NETWORK_TLS_CA: others['NETWORK_TLS_CA']! })).toEqual([
      'MINICHAIN_NETWORK_TLS_CERT: the certificate was not issued by the authority in network.tls.ca',
    ]);
    expect(problems(own, 'b')).toEqual([
      'MINICHAIN_NETWORK_TLS_CERT: the certificate is for "a", but this node is "b"',
    ]);
  });

  it('refuses files of the wrong kind', () => {
    const { NETWORK_TLS_CA: ca, NETWORK_TLS_CERT: cert, NETWORK_TLS_KEY: key } = own;
    const [first] = problems({ NETWORK_TLS_CA: cert!, NETWORK_TLS_CERT: cert!, NETWORK_TLS_KEY: key! });
    expect(first).toContain("contains a certificate that is not an authority's");
    expect(problems({ NETWORK_TLS_CA: ca!, NETWORK_TLS_CERT: key!, NETWORK_TLS_KEY: key! })[0]).toContain(
      'contains no certificate in PEM form',
    );
    const damaged = file('damaged', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    expect(problems({ ...own, NETWORK_TLS_CA: damaged })[0]).toContain('contains a damaged certificate');
    const locked = file(
      'passphrase',
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
    );
    expect(problems({ ...own, NETWORK_TLS_KEY: locked })[0]).toContain('is protected by a passphrase');
  });

  it('shows nothing of a key that was given in place of its path', () => {
    const pem = readFileSync(own['NETWORK_TLS_KEY']!, 'utf8');
    for (const given of [pem, Buffer.from(pem).toString('base64'), pem.replaceAll(/-----[^-]+-----|\n/g, '')]) {
      expect(problems({ ...own, NETWORK_TLS_KEY: given })).toEqual([
        'MINICHAIN_NETWORK_TLS_KEY: must be the path of a file, not its content',
      ]);
    }
  });

  it('says how its section is written', () => {
    const toml = '[node]\nnode_id = "a"\n[tls]\nca = "x"\n';
    expect(() => parseConfig({ toml, source: 'f.toml' })).toThrow('f.toml: [tls]: is written as [network.tls]');
    expect(() =>
      parseConfig({ toml: '[node]\nnode_id = "a"\n[network]\ntls = 1\nca = "x"\n', source: 'f.toml' }),
    ).toThrow(
      'f.toml: network.tls: must be a section, written as [network.tls]\nf.toml: network.ca: belongs under [network.tls]',
    );
  });
});
