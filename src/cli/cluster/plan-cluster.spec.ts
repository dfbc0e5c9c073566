import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../config/node-config.js';
import { CliError } from '../exit.js';
import { planCluster, urlOf, type ClusterRequest } from './plan-cluster.js';

const SHIPPED = join(import.meta.dirname, '../../../config');

function request(given: Partial<ClusterRequest>): ClusterRequest {
  return { nodes: 3, configDir: SHIPPED, dataDir: undefined, env: {}, ...given };
}

describe('planCluster', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'minichain-plan-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('takes the three shipped configurations as they are', () => {
    const nodes = planCluster(request({}));
    expect(nodes.map(({ config }) => [config.node.nodeId, urlOf(config), config.node.dataDir])).toEqual([
      ['node-1', 'http://127.0.0.1:8091', 'data/node1'],
      ['node-2', 'http://127.0.0.1:8092', 'data/node2'],
      ['node-3', 'http://127.0.0.1:8093', 'data/node3'],
    ]);
  });

  it('derives further nodes from node1.toml', () => {
    const nodes = planCluster(request({ nodes: 5, env: { MINICHAIN_BLOCKCHAIN_DIFFICULTY: '2' } }));
    expect(nodes[4]!.configPath).toBe(join(SHIPPED, 'node1.toml'));
    expect(nodes[4]!.config).toMatchObject({
      node: { nodeId: 'node-5', httpPort: 8095, p2pPort: 9095, dataDir: 'data/node5' },
      network: { bootstrapNodes: ['127.0.0.1:9091', '127.0.0.1:9092', '127.0.0.1:9093'] },
      blockchain: { difficulty: 2, autoMine: true },
    });
    expect(nodes[0]!.config.blockchain.difficulty).toBe(2);
  });

  it('keeps all data under the directory given', () => {
    const nodes = planCluster(request({ nodes: 4, dataDir: '/tmp/x' }));
    expect(nodes.map(({ config }) => config.node.dataDir)).toEqual([
      '/tmp/x/node1',
      '/tmp/x/node2',
      '/tmp/x/node3',
      '/tmp/x/node4',
    ]);
  });

  it('names the mistakes of all files at once', () => {
    writeFileSync(join(directory, 'node1.toml'), '[node]\nnode_id = "a"\nhttp_port = -1\n');
    writeFileSync(join(directory, 'node2.toml'), '[node]\nlog_level = 3\np2p_port = true\n');
    try {
      planCluster(request({ configDir: directory }));
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).problems.map((problem) => problem.replace(directory, ''))).toEqual([
        '/node1.toml: node.http_port: must be a whole number from 0 to 65535, got -1',
        '/node2.toml: node.p2p_port: must be a whole number from 0 to 65535, got true',
        '/node2.toml: node.log_level: must be "debug", "info", "warn", "error" or "silent", got 3',
      ]);
    }
  });

  it("refuses nodes that would be in each other's way", () => {
    writeFileSync(join(directory, 'node1.toml'), '[node]\nnode_id = "a"\n');
    writeFileSync(join(directory, 'node2.toml'), '[node]\nnode_id = "b"\np2p_port = 9092\n');
    expect(() => planCluster(request({ configDir: directory }))).toThrow(/^a and b \(.*\) have the same port 8091/);
    writeFileSync(join(directory, 'node2.toml'), '[node]\nnode_id = "b"\nhttp_port = 0\np2p_port = 9092\n');
    expect(() => planCluster(request({ configDir: directory }))).toThrow(/node2.toml: .* need fixed ports, not 0/);
  });

  it('refuses settings of one node that come from the environment, and a directory without node1.toml', () => {
    expect(() => planCluster(request({ env: { MINICHAIN_NODE_HTTP_PORT: '1' } }))).toThrow(
      new CliError('MINICHAIN_NODE_HTTP_PORT must differ from node to node: unset for a cluster', 2),
    );
    expect(() => planCluster(request({ configDir: directory }))).toThrow(/node1.toml does not exist/);
  });
});
