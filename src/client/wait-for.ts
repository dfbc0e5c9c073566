import type { TransactionStatus } from '../mempool/mempool-schemas.js';
import type { RequestOptions } from './http.js';
import { MinichainError } from './minichain-error.js';
import { pause } from './retry.js';

/** The pause between two questions grows, so that a long wait costs the node next to nothing. */
const FIRST_POLL_MS = 100;
const MAX_POLL_MS = 1_000;
const POLL_GROWTH = 1.5;
/** A question for which the time is nearly up has so long. */
const LEAST_REQUEST_MS = 1_000;
const MOST_REQUEST_MS = 10_000;

export interface WaitOptions {
  /** Blocks from the entry's to the tip, both counted. By default 1: its own block. */
  readonly confirmations?: number | undefined;
  /** By default a minute. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait; what is thrown is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told each time the node has answered and the entry still has too few confirmations. */
  readonly onProgress?: ((status: TransactionStatus) => void) | undefined;
  /** Told each time the node cannot be reached or is busy. It is asked again. */
  readonly onRetry?: ((error: MinichainError) => void) | undefined;
}

/** An entry in a block of the active chain. */
export type Confirmed = TransactionStatus & { readonly block: NonNullable<TransactionStatus['block']> };

/**
 * Asks until the entry has its confirmations. A node that does not answer for a while, because it restarts, has kept the entry.
 * A reorganisation may take the entry out of its block meanwhile: it goes back to the mempool, and is waited for.
 * @throws MinichainError `not-confirmed` when the time is up; `transaction-not-found` when the node has never known it.
 */
export async function waitForEntry(
  ask: (options: RequestOptions) => Promise<TransactionStatus>,
  id: string,
  { confirmations = 1, timeoutMs = 60_000, signal, onProgress, onRetry }: WaitOptions = {},
): Promise<Confirmed> {
  const endMs = performance.now() + timeoutMs;
  let last: TransactionStatus | undefined;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(MAX_POLL_MS, pollMs * POLL_GROWTH)) {
    let failure: MinichainError | undefined;
    try {
      const leftMs = endMs - performance.now();
      last = await ask({ signal, timeoutMs: Math.min(MOST_REQUEST_MS, Math.max(LEAST_REQUEST_MS, leftMs)) });
      if (isConfirmed(last) && (confirmations === 1 || last.confirmations >= confirmations)) return last;
      onProgress?.(last);
    } catch (error) {
      if (!(error instanceof MinichainError)) throw error;
      // While a reorganisation gives back the entries of its old branch, one may be in no block and not yet in the mempool.
      const isOnItsWay = error.code === 'transaction-not-found' && last !== undefined;
      if (!error.isTransient && !isOnItsWay) throw error;
      failure = error;
      if (error.isTransient) onRetry?.(error);
    }
    const delayMs = Math.max(pollMs, failure?.retryAfterMs ?? 0);
    if (performance.now() + delayMs > endMs) throw notConfirmed(id, confirmations, last, failure);
    await pause(delayMs, signal);
  }
}

function isConfirmed(status: TransactionStatus): status is Confirmed {
  return status.status === 'confirmed';
}

function notConfirmed(
  id: string,
  wanted: number,
  last: TransactionStatus | undefined,
  cause: MinichainError | undefined,
): MinichainError {
  const has = last?.confirmations ?? 0;
  const state = has > 0 ? `has ${has} of ${wanted} confirmations` : 'is in no block yet';
  return new MinichainError({ code: 'not-confirmed', detail: `entry ${id} ${state}`, cause });
}
