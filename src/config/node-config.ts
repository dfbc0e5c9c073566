import type { KeyObject } from 'node:crypto';
import type { Hash } from '../consensus/codec.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFormat = 'pretty' | 'json';
export type MineEmptyBlocks = 'on_tie' | 'never' | 'always';

/** Who this node is and where it listens. Ports: 0 = any free one. */
export interface NodeSection {
  readonly nodeId: string;
  readonly httpHost: string;
  readonly httpPort: number;
  readonly p2pHost: string;
  readonly p2pPort: number;
  /** "host:port" that other nodes can dial; undefined = derived by the node from where it listens. */
  readonly advertisedAddress: string | undefined;
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Authenticates this node to others, and others to it. The key is opaque, so that no log or dump can show it. */
export interface TlsSection {
  /** PEM; one or more certificates of the network's authority. */
  readonly ca: string;
  /** PEM; the node's own certificate, then intermediate ones. */
  readonly cert: string;
  readonly key: KeyObject;
}

export interface NetworkSection {
  readonly name: string;
  /** "host:port" each; dialled again and again, for ever. */
  readonly bootstrapNodes: readonly string[];
  readonly maxPeers: number;
  readonly heartbeatSeconds: number;
  readonly banSeconds: number;
  /** CIDR ranges whose hosts may take any number of slots and places in the address book; loopback always may. */
  readonly trustedRanges: readonly string[];
  /** undefined = sessions between nodes are neither encrypted nor authenticated. */
  readonly tls?: TlsSection | undefined;
}

export interface BlockchainSection {
  /** Leading zero hex digits of a block hash. */
  readonly difficulty: number;
  readonly autoMine: boolean;
  readonly mineEmptyBlocks: MineEmptyBlocks;
  /** Mining threads. */
  readonly threads: number;
  /** Most hashes per second of all of them together; 0 = no limit. */
  readonly maxHashRate: number;
  /** Blocks between retargets; 0 = fixed difficulty. */
  readonly retargetInterval: number;
  readonly targetSpacingSeconds: number;
  readonly maxBlockBytes: number;
  /** Height to the hash that the active chain must have there. */
  readonly checkpoints: ReadonlyMap<number, Hash>;
  /** Blocks; undefined = no bound. */
  readonly maxReorgDepth: number | undefined;
}

export interface MempoolSection {
  readonly maxTransactions: number;
  readonly maxBytes: number;
}

export interface HttpSection {
  /** Bearer token that writes must carry; undefined = none needed. */
  readonly writeToken: string | undefined;
  readonly corsOrigins: readonly string[];
  /** Names, besides those that the node has by itself, that a write may call it by; "*" for any. */
  readonly allowedHosts: readonly string[];
  readonly bodyLimitBytes: number;
  /** Requests of one client address; 0 = no limit. */
  readonly rateLimitPerSecond: number;
  /** Open connections, of all clients. */
  readonly maxConnections: number;
  /** Open connections of one client address; loopback has a higher limit. */
  readonly maxConnectionsPerAddress: number;
}

/** Faults on purpose. */
export interface LabSection {
  readonly enabled: boolean;
  /** Origins of the REST APIs of the nodes that are shown together. */
  readonly nodes: readonly string[];
}

/** Bitcoin's JSON-RPC, for Bitcoin's own tools. */
export interface RpcSection {
  /** undefined = off; 0 = any free one. */
  readonly port: number | undefined;
  readonly host: string;
  /** With `password`; undefined = the file `.cookie` in the data directory holds both. */
  readonly user: string | undefined;
  readonly password: string | undefined;
}

/** A node's whole configuration, checked and deep-frozen; made by load-config.ts from TOML and the environment. */
export interface NodeConfig {
  readonly node: NodeSection;
  readonly network: NetworkSection;
  readonly blockchain: BlockchainSection;
  readonly mempool: MempoolSection;
  readonly http: HttpSection;
  readonly lab: LabSection;
  readonly rpc: RpcSection;
}

/** The configuration is wrong. The message names every mistake, with its place and what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}
