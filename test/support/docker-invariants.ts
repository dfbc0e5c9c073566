import type { DockerCluster } from './docker-cluster.js';
import type { DockerNode } from './docker-node.js';
import { waitFor } from './wait.js';

export interface SettleOptions {
  /** Does nobody mine by itself? Then the nodes are told to, until nothing waits. */
  readonly isMinedByHand?: boolean;
  readonly limitMs?: number;
}

/**
 * The promises of a network, looked at from outside: waits until all nodes are connected, nothing waits to be mined and
 * all have one tip; then every node must have the same block at every height, every acknowledged entry exactly once, and
 * have banned nobody; and no node's chain work may have gone down at any time.
 * @returns height of the chain.
 * @throws Error with all that does not hold.
 */
export async function checkClusterInvariants(cluster: DockerCluster, options: SettleOptions = {}): Promise<number> {
  const { nodes } = cluster;
  await cluster.meshed();
  await settle(nodes, options);
  const chains = await Promise.all(nodes.map((node) => node.chain()));
  const broken = [...cluster.violations];
  for (const [index, chain] of chains.entries()) {
    const { nodeId } = nodes[index]!;
    broken.push(...brokenLinks(nodeId, chain), ...misplaced(nodeId, chain, cluster.acknowledged));
    const height = chain.findIndex(({ hash }, at) => at < chains[0]!.length && hash !== chains[0]![at]!.hash);
    if (height >= 0) broken.push(`${nodeId} has another block than ${nodes[0]!.nodeId} at height ${height}`);
  }
  for (const node of nodes) {
    const { bans } = await node.get<{ bans: { subject: string; code: string }[] }>('/peers/bans');
    broken.push(...bans.map(({ subject, code }) => `${node.nodeId} has banned ${subject} for ${code}`));
  }
  if (broken.length > 0) throw new Error(`broken promises:\n${broken.slice(0, 20).join('\n')}`);
  return chains[0]!.length - 1;
}

async function settle(nodes: readonly DockerNode[], { isMinedByHand = false, limitMs = 60_000 }: SettleOptions) {
  let seen = '';
  try {
    await waitFor(
      'all entries are mined, and all nodes have one tip',
      async () => {
        const statuses = await Promise.all(nodes.map((node) => node.status()));
        seen = statuses
          .map(
            ({ nodeId, height, tip, mempool }) =>
              `${nodeId} at ${height} ${tip.slice(-8)}, ${mempool.transactions} waiting`,
          )
          .join('; ');
        const waiting = statuses.findIndex(({ mempool }) => mempool.transactions > 0);
        const isOneTip = statuses.every(({ tip }) => tip === statuses[0]!.tip);
        if (waiting < 0 && isOneTip) return true;
        // Two tips of equal work stay for ever where nobody mines: one block more decides.
        if (isMinedByHand) await nodes[Math.max(0, waiting)]!.mine();
        return false;
      },
      limitMs,
    );
  } catch (error) {
    throw new Error(`${(error as Error).message} (${seen})`, { cause: error });
  }
}

type Chain = Awaited<ReturnType<DockerNode['chain']>>;

function brokenLinks(nodeId: string, chain: Chain): string[] {
  const wrong = chain.findIndex(
    ({ index, previousHash }, at) => index !== at || (at > 0 && previousHash !== chain[at - 1]!.hash),
  );
  return wrong < 0 ? [] : [`${nodeId}: block ${wrong} does not follow the one before it`];
}

function* misplaced(nodeId: string, chain: Chain, acknowledged: ReadonlyMap<string, string>): Iterable<string> {
  const times = new Map<string, number>();
  for (const { transactions } of chain) for (const { id } of transactions) times.set(id, (times.get(id) ?? 0) + 1);
  for (const [id, count] of times) if (count > 1) yield `${nodeId}: ${id} stands ${count} times in the chain`;
  for (const [id, data] of acknowledged) if (!times.has(id)) yield `${nodeId}: "${data}" (${id}) is gone`;
}
