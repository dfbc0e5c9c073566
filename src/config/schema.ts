import { availableParallelism } from 'node:os';
import { isHash } from '../consensus/codec.js';
import { DEFAULT_MAX_BLOCK_BYTES } from '../consensus/params.js';
import { isListenHost, isRange, parseAddress } from './address.js';
import {
  flag,
  oneOf,
  optional,
  text,
  textByNumber,
  textList,
  wholeNumber,
  wholeNumberOrZero,
  type Field,
  type ValueOf,
} from './field.js';
import { isNodeId } from './node-id.js';

const NAME = '1 to 64 characters of A-Z a-z 0-9 . _ - (not only dots)';
const ADDRESS =
  '"host:port", the host an IPv4 address, a DNS name or an [IPv6 address] that can be dialled (not 0.0.0.0)';
/** RFC 1918, RFC 4193 and link-local addresses: not to be reached from the Internet. */
export const PRIVATE_RANGES = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
];
const LISTEN_HOST = 'an IP address of this machine, "0.0.0.0" or "::" for all of them, or a host name';

/**
 * Every setting of a node: the one place that knows their names, ranges, defaults and meanings. The TOML file, the
 * environment and `minichain start --help` all follow from it. Keys are those of NodeConfig. The TOML file spells them
 * in snake_case (`http_port` in section `[node]`), the environment as `MINICHAIN_NODE_HTTP_PORT`. Paths are relative to
 * the directory in which the node is started. A section with a dot in its name stands inside another.
 */
export const SECTIONS = {
  node: {
    nodeId: text(NAME, isName, {
      shownDefault: 'the host name',
      doc: "The node's name, a label for people; give each node its own.",
    }),
    httpHost: text(LISTEN_HOST, isListenHost, { default: '127.0.0.1', doc: 'Where the REST API listens.' }),
    httpPort: wholeNumber(0, 65_535, { default: 8091, doc: 'Port of the REST API; 0 = any free one.' }),
    // Loopback, like http_host: a node should be open to other machines on purpose, not because a line is missing.
    p2pHost: text(LISTEN_HOST, isListenHost, { default: '127.0.0.1', doc: 'Where other nodes connect (gRPC).' }),
    p2pPort: wholeNumber(0, 65_535, { default: 9091, doc: 'Port for other nodes (gRPC); 0 = any free one.' }),
    advertisedAddress: optional(
      text(ADDRESS, isAddress, {
        doc: 'The address that other nodes are told to dial; by default where this node listens.',
      }),
    ),
    dataDir: text('the path of a directory, without spaces around it', isTrimmedPath, {
      default: '',
      shownDefault: 'data/<node_id>',
      doc: 'Where the chain is stored; relative to the directory in which the node is started.',
    }),
    logLevel: oneOf(['debug', 'info', 'warn', 'error', 'silent'], {
      default: 'info',
      doc: 'The lowest level that is logged.',
    }),
    logFormat: oneOf(['pretty', 'json'], { default: 'pretty', doc: 'Log lines for people or for programs.' }),
  },
  network: {
    name: text(NAME, isName, {
      default: 'minichain',
      doc: 'Part of the genesis block: nodes of other networks are refused.',
    }),
    bootstrapNodes: textList(ADDRESS, isAddress, {
      default: [],
      shownDefault: 'none',
      doc: 'The nodes to dial first; this node learns of all others from them.',
    }),
    maxPeers: wholeNumber(1, 1000, {
      default: 32,
      doc: 'Most sessions with other nodes at a time, inbound and outbound.',
    }),
    heartbeatSeconds: wholeNumber(1, 3600, {
      default: 5,
      doc: 'Time between pings; a peer that misses three is dropped.',
    }),
    banSeconds: wholeNumber(1, 31_536_000, { default: 86_400, doc: 'How long a misbehaving peer is kept out.' }),
    trustedRanges: textList('a range such as "10.0.0.0/8" or "fc00::/7"', isRange, {
      default: PRIVATE_RANGES,
      shownDefault: 'the private ranges',
      doc: 'Hosts without caps on their sessions and addresses; loopback always counts.',
    }),
  },
  'network.tls': {
    ca: optional(
      text('the path of a file', isPath, {
        doc: "Certificate of this network's authority (PEM); turns on mTLS.",
      }),
    ),
    cert: optional(
      text('the path of a file', isPath, {
        doc: "This node's certificate; its CN is the node id.",
      }),
    ),
    key: optional(
      text('the path of a file', isPath, {
        secret: true,
        doc: 'The private key of the certificate.',
      }),
    ),
  },
  blockchain: {
    difficulty: wholeNumber(0, 16, {
      default: 4,
      doc: 'Leading zero hex digits of a block hash; each makes mining 16 times harder. Same on all nodes.',
    }),
    autoMine: flag({ default: true, doc: 'Mine what is in the mempool; false = mine only on POST /mine.' }),
    mineEmptyBlocks: oneOf(['on_tie', 'never', 'always'], {
      default: 'on_tie',
      doc: 'Mine blocks without entries: to end a fork of equal work, never, or all the time.',
    }),
    threads: wholeNumber(1, 256, {
      default: Math.max(1, availableParallelism() - 1),
      shownDefault: 'cores - 1',
      doc: 'Mining threads.',
    }),
    maxHashRate: wholeNumberOrZero(1, 1_000_000_000_000, {
      default: 0,
      doc: 'Most hashes per second of all mining threads together; 0 = no limit.',
    }),
    retargetInterval: wholeNumberOrZero(2, 1_000_000, {
      default: 0,
      doc: 'Blocks between adjustments of the difficulty; 0 = fixed. Same on all nodes.',
    }),
    targetSpacingSeconds: wholeNumber(1, 86_400, {
      default: 10,
      doc: 'The time between two blocks that the adjustment aims at. Same on all nodes.',
    }),
    maxBlockBytes: wholeNumber(32_768, DEFAULT_MAX_BLOCK_BYTES, {
      default: DEFAULT_MAX_BLOCK_BYTES,
      doc: 'Largest block. Same on all nodes.',
    }),
    checkpoints: textByNumber(1, 0xffff_ffff, 'a block hash (64 hex digits, lower case)', isHash, {
      default: new Map(),
      shownDefault: 'none',
      doc: 'Block hashes that the chain must have at given heights.',
    }),
    maxReorgDepth: optional(
      wholeNumber(1, 0xffff_ffff, { doc: 'A reorganisation that would undo more blocks is refused.' }),
    ),
  },
  mempool: {
    maxTransactions: wholeNumber(1, 10_000_000, { default: 50_000, doc: 'Most pending transactions.' }),
    maxBytes: wholeNumber(65_536, 17_179_869_184, { default: 67_108_864, doc: 'Most bytes of pending transactions.' }),
  },
  http: {
    writeToken: optional(
      text('1 to 512 visible ASCII characters', isToken, {
        secret: true,
        doc: 'Requests that write must carry it as "Authorization: Bearer <token>".',
      }),
    ),
    corsOrigins: textList('"*" or an origin such as "https://example.org"', isOrigin, {
      default: [],
      shownDefault: 'none',
      doc: 'Web pages that may call the REST API from a browser.',
    }),
    allowedHosts: textList('a host name such as "node.example.org", or "*"', isAllowedHost, {
      default: [],
      shownDefault: 'none',
      doc: 'Names besides its own under which writers may call the REST API; "*" = any.',
    }),
    bodyLimitBytes: wholeNumber(1024, 16_777_216, {
      // Room for a list of 1,000 entries of 1,000 bytes. One entry takes up to 96 KiB, each of its bytes escaped as \uXXXX.
      default: 1_048_576,
      doc: 'Largest body of a request.',
    }),
    rateLimitPerSecond: wholeNumberOrZero(1, 1_000_000, {
      default: 1000,
      doc: 'Most requests from one client address, loopback excepted; 0 = no limit.',
    }),
    maxConnections: wholeNumber(10, 1_000_000, { default: 1000, doc: 'Most open connections to the REST API.' }),
    maxConnectionsPerAddress: wholeNumber(1, 1_000_000, {
      default: 250,
      doc: 'Most of them from one client address, loopback excepted.',
    }),
  },
  lab: {
    enabled: flag({
      default: false,
      doc: 'Let writers of the REST API cut links, kill nodes and so on. `minichain cluster` turns it on.',
    }),
    nodes: textList('the origin of a REST API such as "http://127.0.0.1:8091"', isNodeOrigin, {
      default: [],
      shownDefault: 'none',
      doc: 'The nodes of the lab, this one too: their pages may call the REST API.',
    }),
  },
  rpc: {
    port: optional(
      wholeNumber(0, 65_535, { default: 0, doc: "Port for Bitcoin's JSON-RPC, off without it; 0 = any free one." }),
    ),
    host: text(LISTEN_HOST, isListenHost, { default: '127.0.0.1', doc: 'Where JSON-RPC listens.' }),
    user: optional(
      text('1 to 512 visible ASCII characters without ":"', isUser, {
        doc: 'User of JSON-RPC, with password; by default those of the file .cookie in data_dir.',
      }),
    ),
    password: optional(text('1 to 512 visible ASCII characters', isToken, { secret: true, doc: 'Its password.' })),
  },
} as const;

/** The checked values of all settings, before anything is derived from them. */
export type SettingValues = {
  [S in keyof typeof SECTIONS]: { -readonly [P in keyof (typeof SECTIONS)[S]]: ValueOf<(typeof SECTIONS)[S][P]> };
};

/** The sections at the top of the TOML file. */
export const TOP_SECTIONS: readonly string[] = Object.keys(SECTIONS).filter((section) => !section.includes('.'));

/** One setting, with the names under which it can be given. */
export interface Setting {
  readonly section: string;
  /** As NodeConfig has it: `httpPort`. */
  readonly property: string;
  /** As the TOML file has it: `http_port`. */
  readonly key: string;
  /** `MINICHAIN_NODE_HTTP_PORT` */
  readonly variable: string;
  readonly field: Field<unknown>;
}

export const SETTINGS: readonly Setting[] = Object.entries(SECTIONS).flatMap(([section, fields]) =>
  Object.entries(fields).map(([property, field]) => {
    const key = property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return { section, property, key, variable: `MINICHAIN_${section.replace('.', '_')}_${key}`.toUpperCase(), field };
  }),
);

/** Can a node or a network have this name? Not one of dots alone: a node's data directory bears its name. */
export function isName(value: string): boolean {
  return isNodeId(value) && !/^\.+$/.test(value);
}

function isAddress(value: string): boolean {
  return parseAddress(value) !== undefined;
}

function isPath(value: string): boolean {
  return value.trim() !== '' && !value.includes('\0');
}

/** A space around it is most likely a slip, and would make a directory that nobody finds. */
function isTrimmedPath(value: string): boolean {
  return isPath(value) && value.trim() === value;
}

function isToken(value: string): boolean {
  return /^[\x21-\x7e]{1,512}$/.test(value);
}

function isUser(value: string): boolean {
  return isToken(value) && !value.includes(':');
}

function isAllowedHost(value: string): boolean {
  return value === '*' || isListenHost(value);
}

function isNodeOrigin(value: string): boolean {
  return value !== '*' && isOrigin(value);
}

function isOrigin(value: string): boolean {
  return value === '*' || (/^https?:\/\//.test(value) && URL.parse(value)?.origin === value);
}
