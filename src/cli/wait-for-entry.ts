import { setTimeout as sleep } from 'node:timers/promises';
import type { TransactionStatus } from '../mempool/mempool-schemas.js';
import { CliError, EXIT } from './exit.js';
import { duration, printable } from './format.js';
import { NodeBusyError, type Answer, type NodeClient } from './node-client.js';
import type { Terminal } from './terminal.js';

/** The pause between two questions grows, so that a long wait costs the node next to nothing. */
const FIRST_POLL_MS = 100;
const MAX_POLL_MS = 1_000;
const POLL_GROWTH = 1.5;

export interface EntryWait {
  readonly timeoutMs: number;
  readonly terminal: Pick<Terminal, 'stderr'>;
  /** By default 1: its own block. */
  readonly confirmations?: number;
  readonly onProgress?: (status: TransactionStatus) => void;
}

/**
 * Asks until the entry has its confirmations. A node that does not answer for a while, because it restarts, has kept the entry.
 * @throws CliError after `timeoutMs`.
 */
export async function waitForEntry(
  client: NodeClient,
  id: string,
  { timeoutMs, terminal: { stderr }, confirmations = 1, onProgress }: EntryWait,
): Promise<Answer<TransactionStatus>> {
  const endMs = performance.now() + timeoutMs;
  let lastFailure: NodeBusyError | undefined;
  let seen = 0;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(MAX_POLL_MS, pollMs * POLL_GROWTH)) {
    try {
      const answer = await client.get<TransactionStatus>(`/transactions/${encodeURIComponent(id)}`);
      seen = answer.body.confirmations;
      if (answer.body.status === 'confirmed' && (confirmations === 1 || seen >= confirmations)) return answer;
      onProgress?.(answer.body);
      lastFailure = undefined;
    } catch (error) {
      if (!(error instanceof NodeBusyError)) throw error;
      if (lastFailure === undefined) stderr.write(`minichain: ${error.reason}; still waiting\n`);
      lastFailure = error;
    }
    if (performance.now() > endMs) {
      const after = `after ${duration(timeoutMs)}`;
      if (lastFailure !== undefined) {
        throw new CliError(`${printable(id)} was accepted; ${after}, ${lastFailure.message}`, lastFailure.exitCode);
      }
      const hint = 'is any node mining? see `minichain status`, or mine it with `minichain mine`';
      const state = seen > 0 ? `has ${seen} of ${confirmations} confirmations` : 'is still pending';
      throw new CliError(`${printable(id)} ${state} ${after}: ${hint}`, EXIT.failed);
    }
    await sleep(pollMs);
  }
}
