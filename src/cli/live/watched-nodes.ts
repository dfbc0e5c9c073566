import type { LabView } from '../../lab/lab-schemas.js';
import { clientOf, type ClientOptions } from '../client-command.js';
import { CliError, EXIT } from '../exit.js';
import type { NodeClient } from '../node-client.js';
import { isSameAddress, reachNode } from '../reach-node.js';
import type { Terminal } from '../terminal.js';

/** A node to watch. */
export interface WatchedNode {
  readonly client: NodeClient;
  /** Its node id where the cluster says so, otherwise its address, until it has answered itself. */
  readonly name: string;
}

/**
 * The nodes to watch: those that were named, or the one that is asked with all nodes of its cluster.
 * @throws CliError when none of them answers.
 */
export async function watchedNodes(
  named: readonly string[],
  options: ClientOptions,
  terminal: Terminal,
): Promise<readonly WatchedNode[]> {
  const at = (url: string): NodeClient => clientOf({ ...options, url }, terminal);
  if (named.length > 0) return (await someAnswer(named.map(at))).map((client) => ({ client, name: hostOf(client) }));
  return reachNode(options, terminal, async (client) => {
    const { nodeId } = (await client.ask('GET /status', {})).body;
    const others = othersOf(await labOf(client), client.url).map(({ url, name }) => {
      const other = at(url);
      return { client: other, name: name ?? hostOf(other) };
    });
    return [{ client, name: nodeId }, ...others];
  });
}

function hostOf({ url }: NodeClient): string {
  return new URL(url).host;
}

async function someAnswer(clients: readonly NodeClient[]): Promise<readonly NodeClient[]> {
  const unique = [...new Map(clients.map((client) => [client.url, client])).values()];
  const answers = await Promise.allSettled(unique.map((client) => client.ask('GET /status', {})));
  const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  if (failures.length === unique.length) throw failures[0];
  return unique;
}

/** undefined where the node has no lab. */
async function labOf(client: NodeClient): Promise<LabView | undefined> {
  try {
    return (await client.ask('GET /lab', {})).body;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.failed) return undefined;
    throw error;
  }
}

function othersOf(lab: LabView | undefined, asked: string): { readonly url: string; readonly name?: string }[] {
  if (lab === undefined) return [];
  const nodes =
    lab.cluster?.nodes.map(({ url, nodeId }) => ({ url, name: nodeId })) ?? lab.nodes.map((url) => ({ url }));
  return nodes.filter(({ url }) => !isSameAddress(url, asked));
}
