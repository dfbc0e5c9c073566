import type { LabView } from '../../lab/lab-schemas.js';
import type { Status } from '../../ops/status-schemas.js';
import { clientOf, type ClientOptions } from '../client-command.js';
import { CliError, EXIT } from '../exit.js';
import type { NodeClient } from '../node-client.js';
import { reachNode } from '../reach-node.js';
import type { Terminal } from '../terminal.js';

/**
 * The nodes to watch: those that were named, or the one that is asked with all nodes of its cluster.
 * @throws CliError when none of them answers.
 */
export async function watchedNodes(
  named: readonly string[],
  options: ClientOptions,
  terminal: Terminal,
): Promise<readonly NodeClient[]> {
  if (named.length > 0) return someAnswer(named.map((url) => clientOf({ ...options, url }, terminal)));
  return reachNode(options, terminal, async (client) => {
    await client.get<Status>('/status');
    const others = othersOf(await labOf(client), client.url);
    return [client, ...others.map((url) => clientOf({ ...options, url }, terminal))];
  });
}

async function someAnswer(clients: readonly NodeClient[]): Promise<readonly NodeClient[]> {
  const unique = [...new Map(clients.map((client) => [client.url, client])).values()];
  const answers = await Promise.allSettled(unique.map((client) => client.get<Status>('/status')));
  const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  if (failures.length === unique.length) throw failures[0];
  return unique;
}

/** undefined where the node has no lab. */
async function labOf(client: NodeClient): Promise<LabView | undefined> {
  try {
    return (await client.get<LabView>('/lab')).body;
  } catch (error) {
    if (error instanceof CliError && error.exitCode === EXIT.failed) return undefined;
    throw error;
  }
}

function othersOf(lab: LabView | undefined, asked: string): string[] {
  if (lab === undefined) return [];
  const place = (url: string): string => new URL(url).host.replace(/^(localhost|\[::1\])(?=:|$)/, '127.0.0.1');
  const urls = lab.cluster === null ? lab.nodes : lab.cluster.nodes.map(({ url }) => url);
  return urls.filter((url) => place(url) !== place(asked));
}
