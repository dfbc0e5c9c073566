import { readFileSync } from 'node:fs';
import type { NodeConfig } from '../config/node-config.js';
import { MORE_THAN_PEERS } from '../peers/grpc-connections.js';

/** For the database, the log, threads, name resolution, and what the runtime itself opens. */
const OWN_DESCRIPTORS = 96;
const LEAST_CONNECTIONS = 16;
/** Of JSON-RPC, where it is on: tools keep a few. */
export const RPC_CONNECTIONS = 100;

/**
 * How many connections REST may have: `http.max_connections`, or fewer where this process may not open as many files. Each
 * connection is one, and a process without a free one can accept nobody, not even a health check.
 * @param limit most open files of this process; undefined = not known.
 */
export function connectionsOf({ http, network, rpc }: NodeConfig, limit = openFileLimit()): number {
  if (limit === undefined) return http.maxConnections;
  // Peers hold one connection to this node or from it, and others may come in beside them.
  const forRpc = rpc.port === undefined ? 0 : RPC_CONNECTIONS;
  const left = limit - OWN_DESCRIPTORS - forRpc - MORE_THAN_PEERS - 2 * network.maxPeers;
  return Math.min(http.maxConnections, Math.max(LEAST_CONNECTIONS, left));
}

/** The soft limit; Node.js has raised it to the hard one by now. Known on Linux alone. */
function openFileLimit(): number | undefined {
  try {
    const soft = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
