import * as fc from 'fast-check';
import { parseConfig } from '../../src/config/load-config.js';
import { ConfigError } from '../../src/config/node-config.js';
import { SETTINGS } from '../../src/config/schema.js';
import { damaged } from '../support/arbitraries.js';
import type { FuzzTarget, Outcome } from './fuzz.js';
import { check } from './outcome.js';

const FILE = `# a node
[node]
node_id = "node-1"
http_port = 8091
p2p_port = 9091
advertised_address = "node1.example.org:9091"

[network]
bootstrap_nodes = ["127.0.0.1:9092", "[::1]:9093"]
max_peers = 10

[blockchain]
difficulty = 2
auto_mine = false
mine_empty_blocks = "never"
checkpoints = { 5 = "${'ab'.repeat(32)}", 70 = "${'0f'.repeat(32)}" }

[http]
cors_origins = ["*"]
`;
const ENVIRONMENT = `MINICHAIN_NODE_NODE_ID=node-1
MINICHAIN_NODE_HTTP_PORT=0
MINICHAIN_NETWORK_BOOTSTRAP_NODES=127.0.0.1:9092,[::1]:9093
MINICHAIN_BLOCKCHAIN_CHECKPOINTS=5=${'ab'.repeat(32)}
MINICHAIN_BLOCKCHAIN_AUTO_MINE=false
MINICHAIN_HTTP_CORS_ORIGINS=https://example.org
MINICHAIN_SERVICE_HOST=10.0.0.1`;

const text = (value: string): Buffer => Buffer.from(value, 'utf8');
const values = fc.oneof(
  fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
  fc.integer().map(String),
  fc.double().map(String),
  fc.constantFrom('true', '[]', '{}', '1979-05-27T07:32:00Z', '[[1], ["a"]]', '{ a.b = 1 }', '0x1f', 'inf', '"""x"""'),
  fc.array(fc.string()).map((list) => JSON.stringify(list)),
);
const files = fc
  .array(fc.tuple(fc.constantFrom(...SETTINGS), values), { maxLength: 8 })
  .map((list) => text(list.map(([{ section, key }, value]) => `${section}.${key} = ${value}`).join('\n')));

export function tomlTarget(): FuzzTarget {
  return {
    seeds: [text(FILE), text('node.node_id = "a"'), text('[node]\n"node_id" = \'b\'\n[[network]]')],
    tokens: ['[', '[[', '{', '"""', "'''", '__proto__', 'constructor', '\\u', '= ', '\n', '.', '#', '1e9'].map(text),
    structured: fc.oneof(files, damaged(files.filter((file) => file.length > 0))),
    run: (input) => configOutcome({ toml: input.toString('utf8'), source: 'fuzz.toml' }),
  };
}

/** Of C0, DEL and C1. */
const CONTROL_CHARACTERS = /\p{Cc}/u;

/** Lines of NAME=value. */
export function environmentTarget(): FuzzTarget {
  const lines = fc.array(fc.tuple(fc.constantFrom(...SETTINGS), fc.oneof(values, fc.string({ unit: 'binary' }))));
  return {
    seeds: [text(ENVIRONMENT)],
    tokens: ['MINICHAIN_', '__PROTO__', ',', '=', '-', '%', '[', ':', '\n'].map(text),
    structured: lines.map((list) => text(list.map(([{ variable }, value]) => `${variable}=${value}`).join('\n'))),
    run: (input) => {
      const pairs = input
        .toString('utf8')
        .split('\n')
        .map((line) => [line.split('=', 1)[0]!, line.slice(line.indexOf('=') + 1)]);
      return configOutcome({ env: Object.fromEntries(pairs) });
    },
  };
}

function configOutcome(input: Parameters<typeof parseConfig>[0]): Outcome {
  try {
    const config = parseConfig(input);
    check(Object.isFrozen(config) && config.node.nodeId.length > 0, 'a configuration that is not whole');
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    check(error.problems.length > 0, 'a ConfigError without a problem');
    for (const problem of error.problems) {
      check(!CONTROL_CHARACTERS.test(problem), `a problem with control characters: ${JSON.stringify(problem)}`);
      check(problem.length < 1_000, `a problem of ${problem.length} characters`);
    }
    return 'rejected';
  }
}
