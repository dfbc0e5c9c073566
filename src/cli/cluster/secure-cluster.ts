import { existsSync } from 'node:fs';
import { loadConfig } from '../../config/load-config.js';
import { nodeFilesIn, writeCerts } from '../certs/write-certs.js';
import type { PlannedNode } from './plan-cluster.js';

/** Less than an authority holds, so that nodes can be added for years. */
const DAYS = 1_825;

/**
 * The same nodes with mTLS between them. Their certificates are kept in `directory`; what is not there yet is made.
 * @throws CliError, ConfigError
 */
export async function secureCluster(
  nodes: readonly PlannedNode[],
  directory: string,
  nowMs: number,
): Promise<PlannedNode[]> {
  const files = nodes.map(({ config }) => nodeFilesIn(directory, config.node.nodeId));
  const nodeIds = files.filter(({ cert, key }) => !existsSync(cert) && !existsSync(key)).map(({ nodeId }) => nodeId);
  if (nodeIds.length > 0) await writeCerts({ directory, nodeIds, hosts: [], days: DAYS, nowMs });
  return nodes.map(({ configPath, env }, index) => {
    const { ca, cert, key } = files[index]!;
    const secured = {
      ...env,
      MINICHAIN_NETWORK_TLS_CA: ca,
      MINICHAIN_NETWORK_TLS_CERT: cert,
      MINICHAIN_NETWORK_TLS_KEY: key,
    };
    return { configPath, env: secured, config: loadConfig({ path: configPath, env: secured }) };
  });
}
