import type { MinichainError } from '../client/minichain-error.js';
import type { PreparedEntry } from '../client/prepare-entry.js';
import type { Receipt } from '../mempool/mempool-schemas.js';
import { asAnswer, reasonOf, toCliError, type Answer, type NodeClient } from './node-client.js';
import type { Terminal } from './terminal.js';

/**
 * Posts an entry, and again while the node is busy or its answer is lost: it is one entry, whatever happens. Where nobody
 * listens the first time, the address is more likely wrong than the node busy, so that fails at once.
 * @param entry a text, or an entry whose id is known.
 * @throws CliError
 */
export async function submitEntry(
  client: NodeClient,
  entry: string | PreparedEntry,
  { stderr }: Pick<Terminal, 'stderr'>,
  signature?: string,
): Promise<Answer<Receipt>> {
  let isRepeated = false;
  const onRetry = (error: MinichainError): void => {
    if (isRepeated) return;
    isRepeated = true;
    if (error.code === 'unreachable' && neverArrived(error.cause)) throw toCliError(error);
    stderr.write(`minichain: ${reasonOf(error)}; trying again\n`);
  };
  return client.call(async (api) => asAnswer(await api.submit(entry, { signature, onRetry })));
}

/** A connection that broke off may have brought the request. */
function neverArrived(cause: unknown): boolean {
  const { code } = (cause instanceof AggregateError ? cause.errors[0] : cause) as NodeJS.ErrnoException;
  return code !== 'ECONNRESET' && code !== 'EPIPE';
}
