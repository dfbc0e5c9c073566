import { clientOf, type ClientOptions } from './client-command.js';
import { CliError, EXIT } from './exit.js';
import type { NodeClient } from './node-client.js';
import type { Terminal } from './terminal.js';

/** Where `minichain cluster` runs its first nodes: any of them will do, and the first may be the one that was killed. */
const CLUSTER_URLS = [8091, 8092, 8093].map((port) => `http://127.0.0.1:${port}`);

/**
 * The answer of the node that is to be asked; without a choice of the user, of the first that answers at 8091 to 8093.
 * @throws CliError, of the first node if none answers.
 */
export async function reachNode<T>(
  options: ClientOptions,
  terminal: Terminal,
  ask: (client: NodeClient) => Promise<T>,
): Promise<T> {
  try {
    return await ask(clientOf(options, terminal));
  } catch (error) {
    if (!(error instanceof CliError) || error.exitCode !== EXIT.unreachable) throw error;
    const { env } = terminal;
    const isChosen = (options.url ?? env['MINICHAIN_URL'] ?? env['MINICHAIN_NODE_HTTP_PORT']) !== undefined;
    if (isChosen) throw error;
    for (const url of CLUSTER_URLS.slice(1)) {
      const reached = await ask(clientOf({ ...options, url }, terminal)).catch(() => undefined);
      if (reached !== undefined) return reached;
    }
    throw error;
  }
}

/** Do two addresses lead to one node? This machine has several names. */
export function isSameAddress(one: string, other: string): boolean {
  const place = (url: string): string => new URL(url).host.replace(/^(localhost|\[::1\])(?=:|$)/, '127.0.0.1');
  return place(one) === place(other);
}
