import { MinichainError } from '../client/minichain-error.js';
import type { Confirmed } from '../client/wait-for.js';
import type { TransactionStatus } from '../mempool/mempool-schemas.js';
import { CliError, EXIT } from './exit.js';
import { duration, printable } from './format.js';
import { asAnswer, reasonOf, toCliError, type Answer, type NodeClient } from './node-client.js';
import type { Terminal } from './terminal.js';

export interface EntryWait {
  readonly timeoutMs: number;
  readonly terminal: Pick<Terminal, 'stderr'>;
  /** By default 1: its own block. */
  readonly confirmations?: number;
  readonly onProgress?: (status: TransactionStatus) => void;
}

/**
 * Waits until an entry that a node accepted has its confirmations, and says once on stderr when the node does not answer.
 * @throws CliError after `timeoutMs`.
 */
export async function waitForEntry(
  client: NodeClient,
  id: string,
  { timeoutMs, terminal: { stderr }, confirmations = 1, onProgress }: EntryWait,
): Promise<Answer<Confirmed>> {
  let seen = 0;
  let isAway = false;
  const tell = (error: MinichainError): void => {
    if (!isAway) stderr.write(`minichain: ${reasonOf(error)}; still waiting\n`);
    isAway = true;
  };
  const follow = (status: TransactionStatus): void => {
    isAway = false;
    seen = status.confirmations;
    onProgress?.(status);
  };
  return client.call(async (api) => {
    try {
      return asAnswer(await api.waitFor(id, { confirmations, timeoutMs, onProgress: follow, onRetry: tell }));
    } catch (error) {
      if (!(error instanceof MinichainError) || error.code !== 'not-confirmed') throw error;
      const after = `after ${duration(timeoutMs)}`;
      if (error.cause instanceof MinichainError) {
        const failure = toCliError(error.cause);
        throw new CliError(`${printable(id)} was accepted; ${after}, ${failure.message}`, failure.exitCode);
      }
      const hint = 'is any node mining? see `minichain status`, or mine it with `minichain mine`';
      const state = seen > 0 ? `has ${seen} of ${confirmations} confirmations` : 'is still pending';
      throw new CliError(`${printable(id)} ${state} ${after}: ${hint}`, EXIT.failed);
    }
  });
}
