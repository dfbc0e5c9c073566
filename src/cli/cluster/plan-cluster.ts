import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { formatAddress, isWildcardHost } from '../../config/address.js';
import { loadConfig } from '../../config/load-config.js';
import { ConfigError, type NodeConfig } from '../../config/node-config.js';
import type { Terminal } from '../terminal.js';
import { CliError, EXIT } from '../exit.js';

/** Settings that no two nodes may share, so they cannot come from the environment of the cluster. */
const OWN_VARIABLES = ['NODE_ID', 'HTTP_PORT', 'P2P_PORT', 'DATA_DIR', 'ADVERTISED_ADDRESS'].map(
  (key) => `MINICHAIN_NODE_${key}`,
);

export interface ClusterRequest {
  readonly nodes: number;
  /** Where node1.toml, node2.toml, ... are. */
  readonly configDir: string;
  /** Each node's data goes to node1, node2, ... in here; undefined = where its configuration says. */
  readonly dataDir: string | undefined;
  readonly env: Terminal['env'];
}

/** One node to start: `minichain start --config configPath` with `env`; `config` is what it will make of these. */
export interface PlannedNode {
  readonly configPath: string;
  readonly env: Terminal['env'];
  readonly config: NodeConfig;
}

/**
 * What to start for a cluster. Nodes that have no file of their own get node1.toml with another id, the following ports
 * and a data directory of their own, and begin with the nodes that do have one.
 * @throws ConfigError with the mistakes of all nodes; CliError (usage)
 */
export function planCluster(request: ClusterRequest): PlannedNode[] {
  const shared = OWN_VARIABLES.filter((variable) => request.env[variable] !== undefined);
  if (shared.length > 0) {
    throw new CliError(`${shared.join(', ')} must differ from node to node: unset for a cluster`, EXIT.usage);
  }
  const first = pathOf(request, 1);
  if (!existsSync(first)) {
    throw new CliError(`${first} does not exist; run this in minichain's directory or give --config-dir`, EXIT.usage);
  }
  const shipped: PlannedNode[] = [];
  const problems = new Set<string>();
  for (let n = 1; n <= request.nodes && existsSync(pathOf(request, n)); n++) {
    const env = { ...request.env, ...dataDirOf(request, n, undefined) };
    const node = collect(problems, () => plan(pathOf(request, n), env));
    if (node) shipped.push(node);
  }
  if (problems.size > 0) throw new ConfigError([...problems]);

  const nodes = [...shipped];
  const base = shipped[0]!.config.node;
  for (let n = shipped.length + 1; n <= request.nodes; n++) {
    const env = {
      ...request.env,
      MINICHAIN_NODE_NODE_ID: `node-${n}`,
      MINICHAIN_NODE_HTTP_PORT: String(base.httpPort + n - 1),
      MINICHAIN_NODE_P2P_PORT: String(base.p2pPort + n - 1),
      MINICHAIN_NETWORK_BOOTSTRAP_NODES: shipped.map((node) => dialAddressOf(node.config)).join(','),
      ...dataDirOf(request, n, 'data'),
    };
    const node = collect(problems, () => plan(first, env));
    if (node) nodes.push(node);
  }
  if (problems.size > 0) throw new ConfigError([...problems]);
  checkApart(nodes);
  return nodes;
}

/** Where a client on this machine reaches the node's REST API. */
export function urlOf({ node }: NodeConfig): string {
  return `http://${formatAddress({ host: localHost(node.httpHost), port: node.httpPort })}`;
}

function plan(configPath: string, env: Terminal['env']): PlannedNode {
  return { configPath, env, config: loadConfig({ path: configPath, env }) };
}

function collect<T>(problems: Set<string>, load: () => T): T | undefined {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) problems.add(problem);
    return undefined;
  }
}

/** @throws CliError (usage) when two nodes would be in each other's way. */
function checkApart(nodes: readonly PlannedNode[]): void {
  const owners = new Map<string, PlannedNode>();
  for (const node of nodes) {
    const { nodeId, dataDir, httpPort, p2pPort } = node.config.node;
    const ports = [httpPort, p2pPort, node.config.rpc.port].filter((port) => port !== undefined);
    for (const claim of [`node_id "${nodeId}"`, `data_dir "${dataDir}"`, ...ports.map((port) => `port ${port}`)]) {
      if (claim === 'port 0') {
        throw new CliError(`${node.configPath}: the nodes of a cluster need fixed ports, not 0`, EXIT.usage);
      }
      const owner = owners.get(claim);
      if (owner) {
        const places = `${owner.config.node.nodeId} and ${nodeId} (${owner.configPath}, ${node.configPath})`;
        throw new CliError(`${places} have the same ${claim}: each needs its own`, EXIT.usage);
      }
      owners.set(claim, node);
    }
  }
}

function pathOf({ configDir }: ClusterRequest, n: number): string {
  return join(configDir, `node${n}.toml`);
}

function dataDirOf({ dataDir }: ClusterRequest, n: number, fallback: string | undefined): Record<string, string> {
  const parent = dataDir ?? fallback;
  return parent === undefined ? {} : { MINICHAIN_NODE_DATA_DIR: join(parent, `node${n}`) };
}

function dialAddressOf({ node }: NodeConfig): string {
  return node.advertisedAddress ?? formatAddress({ host: localHost(node.p2pHost), port: node.p2pPort });
}

function localHost(host: string): string {
  return isWildcardHost(host) ? '127.0.0.1' : host;
}
