import { isLoopback } from '../../config/address.js';
import { loadConfig } from '../../config/load-config.js';
import { urlOf, type PlannedNode } from './plan-cluster.js';

/**
 * The same nodes with their lab on. Those that other machines can write to keep it as their configuration has it.
 * @throws ConfigError
 */
export function withLab(nodes: readonly PlannedNode[]): PlannedNode[] {
  const origins = nodes.map(({ config }) => urlOf(config)).join(',');
  return nodes.map((planned) => {
    if (!isSafe(planned)) return planned;
    const env = { ...planned.env, MINICHAIN_LAB_ENABLED: 'true', MINICHAIN_LAB_NODES: origins };
    return { ...planned, env, config: loadConfig({ path: planned.configPath, env }) };
  });
}

function isSafe({ config: { http, node } }: PlannedNode): boolean {
  return http.writeToken !== undefined || (isLoopback(node.httpHost) && !http.allowedHosts.includes('*'));
}
