import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { paramsOf } from './consensus-params.js';
import { loadConfig, parseConfig, type ConfigInput } from './load-config.js';
import { ConfigError } from './node-config.js';
import { SETTINGS } from './schema.js';

const MINIMAL = '[node]\nnode_id = "a"\n';
const HASH = 'ab'.repeat(32);

/** A file with the settings that most users write. */
const USUAL_TOML = `[node]
node_id = "node-1"
http_port = 8091
p2p_port = 9091

[network]
bootstrap_nodes = ["127.0.0.1:9092", "127.0.0.1:9093"]
max_peers = 10

[blockchain]
difficulty = 2
auto_mine = false
`;

function problemsOf(input: ConfigInput): readonly string[] {
  try {
    parseConfig(input);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

/** The problems of one line of TOML in the section given, beside a node id. */
function problemsIn(section: string, line: string): readonly string[] {
  const toml = section === 'node' ? `${MINIMAL}${line}\n` : `${MINIMAL}[${section}]\n${line}\n`;
  return problemsOf({ toml, source: 'f.toml' });
}

describe('parseConfig', () => {
  it('takes a file with the usual settings', () => {
    const config = parseConfig({ toml: USUAL_TOML });
    expect(config.node).toMatchObject({ nodeId: 'node-1', httpPort: 8091, p2pPort: 9091, dataDir: 'data/node-1' });
    expect(config.network.bootstrapNodes).toEqual(['127.0.0.1:9092', '127.0.0.1:9093']);
    expect(config.network.maxPeers).toBe(10);
    expect(config.blockchain).toMatchObject({ difficulty: 2, autoMine: false });
  });

  it('fills in safe defaults and freezes all of it', () => {
    const config = parseConfig({ toml: MINIMAL });
    expect(config).toMatchObject({
      node: { httpHost: '127.0.0.1', p2pHost: '127.0.0.1', advertisedAddress: undefined, logFormat: 'pretty' },
      network: { name: 'minichain', bootstrapNodes: [], heartbeatSeconds: 5 },
      blockchain: { difficulty: 4, mineEmptyBlocks: 'on_tie', retargetInterval: 0, maxReorgDepth: undefined },
      mempool: { maxTransactions: 50_000, maxBytes: 64 * 1024 * 1024 },
      http: { writeToken: undefined, corsOrigins: [], bodyLimitBytes: 1024 * 1024 },
    });
    expect(config.blockchain.threads).toBeGreaterThanOrEqual(1);
    expect([config, config.node, config.network.bootstrapNodes].every((part) => Object.isFrozen(part))).toBe(true);
  });

  it('allows a body in which 16 KiB of data are escaped character by character', () => {
    const body = JSON.stringify({ data: '\u0001'.repeat(16_384) });
    expect(body.length).toBeLessThan(parseConfig({ toml: MINIMAL }).http.bodyLimitBytes);
  });

  it('reads everything off the environment alone', () => {
    const config = parseConfig({
      env: {
        PATH: '/bin',
        MINICHAIN_NODE_NODE_ID: 'env-1',
        MINICHAIN_NODE_HTTP_PORT: '0',
        MINICHAIN_NODE_ADVERTISED_ADDRESS: '[2001:db8::1]:9091',
        MINICHAIN_NETWORK_BOOTSTRAP_NODES: 'node-2:9091, node-3.example.org:9091',
        MINICHAIN_BLOCKCHAIN_AUTO_MINE: 'false',
        MINICHAIN_BLOCKCHAIN_CHECKPOINTS: `7=${HASH}`,
        MINICHAIN_BLOCKCHAIN_MAX_REORG_DEPTH: '100',
        MINICHAIN_HTTP_WRITE_TOKEN: 's3cret',
        MINICHAIN_HTTP_CORS_ORIGINS: '*',
      },
    });
    expect(config.node).toMatchObject({ nodeId: 'env-1', httpPort: 0, advertisedAddress: '[2001:db8::1]:9091' });
    expect(config.network.bootstrapNodes).toEqual(['node-2:9091', 'node-3.example.org:9091']);
    expect(config.blockchain).toMatchObject({ autoMine: false, maxReorgDepth: 100 });
    expect(config.blockchain.checkpoints).toEqual(new Map([[7, HASH]]));
    expect(config.http).toMatchObject({ writeToken: 's3cret', corsOrigins: ['*'] });
  });

  it('lets the environment win, also over a mistake of the file, and with an empty list', () => {
    const toml = `${USUAL_TOML}threads = "many"`;
    const env = { MINICHAIN_BLOCKCHAIN_THREADS: '2', MINICHAIN_NETWORK_BOOTSTRAP_NODES: '' };
    const config = parseConfig({ toml, env });
    expect(config.blockchain.threads).toBe(2);
    expect(config.network.bootstrapNodes).toEqual([]);
  });

  it('knows a variable for every key', () => {
    for (const { variable, key, section } of SETTINGS) {
      // A file of network.tls is missing its two companions, and is not there.
      const count = key === 'data_dir' ? 0 : section === 'network.tls' ? 2 : 1;
      expect(problemsOf({ toml: MINIMAL, env: { [variable]: 'ü' } }), `${section}.${key}`).toHaveLength(count);
    }
  });

  it('shows no name as it is that could steer a terminal, or is without end', () => {
    expect(problemsOf({ toml: MINIMAL, env: { 'MINICHAIN_\u001b[2J\u009b\u007f': '1' } })).toEqual([
      '"MINICHAIN_\\u001b[2J\\u009b\\u007f": no setting has this name',
    ]);
    const [problem] = problemsOf({ toml: `${MINIMAL}${'x'.repeat(10_000)} = 1` });
    expect(problem!.length).toBeLessThan(300);
  });

  it('reads checkpoints from their own table', () => {
    const config = parseConfig({ toml: `${MINIMAL}[blockchain.checkpoints]\n10 = "${HASH}"\n200 = "${HASH}"` });
    expect([...config.blockchain.checkpoints.keys()]).toEqual([10, 200]);
    expect(paramsOf(config).checkpoints.get(200)).toBe(HASH);
  });

  it('names all mistakes at once, each with its place', () => {
    const toml =
      '[node]\nhttp_port = 70000\n[network]\nmax_peers = "ten"\nbootstrap_nodes = ["a:1", "b", 3]\n[minig]\n';
    const env = { MINICHAIN_BLOCKCHAIN_DIFFICULTY: 'high', MINICHAIN_NODE_HTTP_PROT: '1', MINICHAIN_NODE_P2P_PORT: '' };
    const address =
      'must be "host:port", the host an IPv4 address, a DNS name or an [IPv6 address] that can be dialled (not 0.0.0.0)';
    expect(problemsOf({ toml, env, source: 'config/node1.toml', hostName: '' })).toEqual([
      'config/node1.toml: [minig]: no such section; the sections are node, network, blockchain, mempool, http, lab, rpc',
      'MINICHAIN_NODE_HTTP_PROT: no setting has this name, did you mean MINICHAIN_NODE_HTTP_PORT?',
      'config/node1.toml: node.node_id: is missing; set it here or as MINICHAIN_NODE_NODE_ID (the host name "" cannot be a node id)',
      'config/node1.toml: node.http_port: must be a whole number from 0 to 65535, got 70000',
      'MINICHAIN_NODE_P2P_PORT: must be a whole number from 0 to 65535, got ""',
      `config/node1.toml: network.bootstrap_nodes[1]: ${address}, got "b"`,
      `config/node1.toml: network.bootstrap_nodes[2]: ${address}, got 3`,
      'config/node1.toml: network.max_peers: must be a whole number from 1 to 1000, got "ten"',
      'MINICHAIN_BLOCKCHAIN_DIFFICULTY: must be a whole number from 0 to 16, got "high"',
    ]);
  });

  it.each([
    ['node', 'htp_port = 1', 'f.toml: node.htp_port: no such key, did you mean http_port?'],
    ['node', 'max_peers = 1', 'f.toml: node.max_peers: belongs under [network]'],
    ['mempool', '"a b" = 1', 'f.toml: mempool."a b": no such key; the keys are max_transactions, max_bytes'],
    ['blockchian', 'difficulty = 1', 'f.toml: [blockchian]: no such section, did you mean blockchain?'],
    ['node', 'http_port = 8091.5', 'f.toml: node.http_port: must be a whole number from 0 to 65535, got 8091.5'],
    ['node', 'http_port = nan', 'f.toml: node.http_port: must be a whole number from 0 to 65535, got NaN'],
    ['node', 'log_level = "loud"', 'must be "debug", "info", "warn", "error" or "silent", got "loud"'],
    ['node', 'advertised_address = "0.0.0.0:9091"', 'that can be dialled (not 0.0.0.0), got "0.0.0.0:9091"'],
    ['node', 'p2p_host = "[::1]"', 'f.toml: node.p2p_host: must be an IP address'],
    [
      'node',
      'data_dir = ""',
      'f.toml: node.data_dir: must be the path of a directory, without spaces around it, got ""',
    ],
    [
      'node',
      'data_dir = " data"',
      'f.toml: node.data_dir: must be the path of a directory, without spaces around it, got " data"',
    ],
    [
      'node',
      'p2p_port = 8091\nhttp_port = 8091',
      'f.toml: node.p2p_port: http_port and p2p_port must differ, both are 8091',
    ],
    ['node', 'http_port = 9091', 'f.toml: node.http_port: http_port and p2p_port must differ, both are 9091'],
    ['network', 'name = 1979-05-27', 'f.toml: network.name: must be 1 to 64 characters'],
    ['network', 'bootstrap_nodes = "a:1"', 'f.toml: network.bootstrap_nodes: must be a list, each "host:port"'],
    ['blockchain', 'auto_mine = "yes"', 'f.toml: blockchain.auto_mine: must be true or false, got "yes"'],
    ['blockchain', 'difficulty = -1', 'f.toml: blockchain.difficulty: must be a whole number from 0 to 16, got -1'],
    ['blockchain', 'retarget_interval = 1', 'must be 0 or a whole number from 2 to 1000000, got 1'],
    [
      'blockchain',
      'retarget_interval = 2\ntarget_spacing_seconds = 1',
      'f.toml: blockchain.target_spacing_seconds: retarget_interval times target_spacing_seconds must be at least 4 seconds, is 2',
    ],
    [
      'blockchain',
      'checkpoints = { 0 = "aa" }',
      'f.toml: blockchain.checkpoints: must be a table, each key a whole number',
    ],
    ['blockchain', 'checkpoints = []', 'f.toml: blockchain.checkpoints: must be a table, each key a whole number'],
    ['lab', 'nodes = ["127.0.0.1:8091"]', 'f.toml: lab.nodes[0]: must be the origin of a REST API such as "http://'],
    ['lab', 'nodes = ["*"]', 'f.toml: lab.nodes[0]: must be the origin of a REST API'],
    ['rpc', 'port = 70000', 'f.toml: rpc.port: must be a whole number from 0 to 65535, got 70000'],
    ['rpc', 'port = 8091', 'f.toml: rpc.port: must not be the port of node.http_port, both are 8091'],
    ['rpc', 'port = 9091', 'f.toml: rpc.port: must not be the port of node.p2p_port, both are 9091'],
    ['rpc', 'user = "a"', 'f.toml: rpc.user: needs rpc.password too'],
    ['rpc', 'password = "a"', 'f.toml: rpc.password: needs rpc.user too'],
    ['rpc', 'user = "a:b"\npassword = "c"', 'f.toml: rpc.user: must be 1 to 512 visible ASCII characters without ":"'],
    [
      'lab',
      'enabled = true\n[http]\nallowed_hosts = ["*"]',
      'f.toml: lab.enabled: with allowed_hosts "*" any page could kill the node: set http.write_token',
    ],
    [
      'node',
      'http_host = "0.0.0.0"\n[lab]\nenabled = true',
      'f.toml: lab.enabled: whoever can write to the node could kill it: set http.write_token, or http_host to "127.0.0.1" (is "0.0.0.0")',
    ],
    ['http', 'cors_origins = ["example.org/"]', 'f.toml: http.cors_origins[0]: must be "*" or an origin such as'],
  ])('refuses [%s] %s', (section, line, expected) => {
    const problems = problemsIn(section, line);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(expected);
  });

  it('says where a key outside its section belongs, and how a section is written', () => {
    expect(problemsOf({ toml: `http_port = 1\nnetwork = 3\n${MINIMAL}`, source: 'f.toml' })).toEqual([
      'f.toml: http_port: belongs under [node]',
      'f.toml: network: must be a section, written as [network]',
    ]);
  });

  it('survives a key with a hundred thousand dots', () => {
    expect(problemsIn('node', `http_port${'.a'.repeat(100_000)} = 1`)).toEqual([
      'f.toml: node.http_port: must be a whole number from 0 to 65535, got a table',
    ]);
  });

  it('never shows a wrong write token', () => {
    expect(problemsIn('http', 'write_token = "two words"')).toEqual([
      'f.toml: http.write_token: must be 1 to 512 visible ASCII characters',
    ]);
  });

  it('gives line and column of what is not TOML, and still names what is wrong in the environment', () => {
    const env = { MINICHAIN_NODE_LOG_FORMAT: 'xml' };
    const problems = problemsOf({ toml: '[node]\nnode_id = "a\nhttp_port = 1', source: 'f.toml', env });
    expect(problems).toHaveLength(2);
    expect(problems[0]).toMatch(/^f\.toml:2:\d+: not valid TOML: [^\n]+$/);
    expect(problems[1]).toBe('MINICHAIN_NODE_LOG_FORMAT: must be "pretty" or "json", got "xml"');
  });

  it('needs neither a file nor a variable: the node is called as its machine, container or pod', () => {
    expect(parseConfig({ hostName: 'minichain-0' }).node).toMatchObject({
      nodeId: 'minichain-0',
      dataDir: 'data/minichain-0',
    });
    expect(parseConfig({ hostName: 'h', toml: MINIMAL }).node.nodeId).toBe('a');
    expect(parseConfig({ hostName: 'h', env: { MINICHAIN_NODE_NODE_ID: 'b' } }).node.nodeId).toBe('b');
  });

  it.each(['', 'münchen', 'x'.repeat(65), 'localhost', 'localhost.localdomain', 'a\u001b[2J'])(
    'asks for the node id where the host name is %j',
    (hostName) => {
      const problems = problemsOf({ env: {}, hostName });
      expect(problems).toEqual([
        `MINICHAIN_NODE_NODE_ID: is missing; set it here or as node.node_id in a file (the host name ${JSON.stringify(hostName)} cannot be a node id)`,
      ]);
    },
  );

  it('leaves alone the variables of the command, of Compose, and the service links of Kubernetes', () => {
    const env = {
      MINICHAIN_URL: 'http://localhost:8092',
      MINICHAIN_TOKEN: 'x',
      MINICHAIN_IMAGE: 'minichain:local',
      MINICHAIN_SERVICE_HOST: '10.0.0.1',
      MINICHAIN_NODE_1_SERVICE_PORT_HTTP: '8091',
      MINICHAIN_PORT: 'tcp://10.0.0.1:8091',
      MINICHAIN_PORT_8091_TCP_ADDR: '10.0.0.1',
    };
    expect(problemsOf({ toml: MINIMAL, env })).toEqual([]);
    expect(problemsOf({ toml: MINIMAL, env: { MINICHAIN_PORT: '8091' } })).toHaveLength(1);
  });

  it('turns whatever text it is given into a configuration or a ConfigError', () => {
    const word = fc.constantFrom(
      ...[
        '[',
        ']',
        '[[',
        '{',
        '}',
        '=',
        '"',
        "'",
        '\n',
        ',',
        '.',
        '#',
        ' ',
        '0x',
        '-',
        '_',
        '1979-05-27',
        'T07:32:00Z',
        'inf',
      ],
      ...[
        'node',
        'network',
        'blockchain',
        'checkpoints',
        'node_id',
        'http_port',
        'max_peers',
        'true',
        '__proto__',
        'constructor',
      ],
    );
    const text = fc.array(fc.oneof(word, fc.string({ unit: 'binary' }), fc.integer().map(String)), { maxLength: 40 });
    fc.assert(
      fc.property(text, fc.string(), (words, value) => {
        problemsOf({ toml: words.join(''), env: { MINICHAIN_NETWORK_MAX_PEERS: value } });
      }),
      { numRuns: 500 },
    );
  });

  it('turns whatever value a key is given into a configuration or a ConfigError', () => {
    const value = fc.oneof(
      ...[
        fc.string().map((text) => JSON.stringify(text)),
        fc.integer().map(String),
        fc.double().map(String),
        fc.boolean().map(String),
      ],
      fc.constantFrom(
        '[]',
        '[[]]',
        '{}',
        '{ a = 1 }',
        '{ 5 = 5 }',
        '1979-05-27',
        '07:32:00',
        '0xff',
        '[1, "a"]',
        '1e400',
        '[{}]',
      ),
    );
    fc.assert(
      fc.property(fc.constantFrom(...SETTINGS), value, ({ section, key }, given) => {
        problemsOf({ toml: `${section}.${key} = ${given}` });
      }),
      { numRuns: 500 },
    );
  });
});

describe('loadConfig', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'minichain-config-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function problemsOfFile(path: string): readonly string[] {
    try {
      loadConfig({ path, env: {} });
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
    return [];
  }

  it('reads the file', () => {
    const path = join(directory, 'node.toml');
    writeFileSync(path, USUAL_TOML);
    expect(loadConfig({ path, env: { MINICHAIN_NODE_NODE_ID: 'b' } }).node.nodeId).toBe('b');
  });

  it('says why a file cannot be read', () => {
    const path = join(directory, 'latin1.toml');
    writeFileSync(path, Buffer.from([0x61, 0xff]));
    expect(problemsOfFile(path)).toEqual([`${path}: is not UTF-8 text`]);
    expect(problemsOfFile(directory)).toEqual([`${directory}: cannot be read (it is a directory)`]);
    expect(problemsOfFile(join(directory, 'none.toml'))).toEqual([`${directory}/none.toml: does not exist`]);
  });

  it.each([1, 2, 3])('takes the shipped config/node%i.toml', (n) => {
    const config = loadConfig({ path: join(import.meta.dirname, `../../config/node${n}.toml`), env: {} });
    expect(config.node).toMatchObject({
      nodeId: `node-${n}`,
      httpPort: 8090 + n,
      p2pPort: 9090 + n,
      dataDir: `data/node${n}`,
    });
    const others = [1, 2, 3].filter((m) => m !== n).map((m) => `127.0.0.1:${9090 + m}`);
    expect(config.network.bootstrapNodes).toEqual(others);
    expect(config.blockchain.autoMine).toBe(true);
  });
});
