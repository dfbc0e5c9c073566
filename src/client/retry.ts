import { MinichainError } from './minichain-error.js';

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
/** A node that does not answer in this time is asked again. */
const ATTEMPT_MS = 10_000;

export interface RetryOptions {
  /** For all attempts together. */
  readonly timeoutMs: number;
  /** Ends the attempts and the pauses; what is thrown is the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Told before each pause. What it throws ends the attempts. */
  readonly onRetry?: ((error: MinichainError, delayMs: number) => void) | undefined;
}

/**
 * Does again what failed because a node cannot be reached or is busy: after a growing pause, or when the node says.
 * @param attempt is given the time that it has.
 * @throws the last error, when the next attempt would come after `timeoutMs`.
 */
export async function retry<T>(
  attempt: (timeoutMs: number) => Promise<T>,
  { timeoutMs, signal, onRetry }: RetryOptions,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (let failures = 0; ; failures++) {
    try {
      return await attempt(Math.min(ATTEMPT_MS, Math.max(1, endMs - performance.now())));
    } catch (error) {
      if (!(error instanceof MinichainError) || !error.isTransient) throw error;
      const delayMs = Math.max(error.retryAfterMs ?? 0, backOff(failures));
      if (performance.now() + delayMs >= endMs) throw error;
      onRetry?.(error, delayMs);
      await pause(delayMs, signal);
    }
  }
}

/** Twice as long after each failure, with a random part, so that many clients do not come back together. */
export function backOff(failures: number, mostMs = MAX_DELAY_MS): number {
  return Math.min(mostMs, FIRST_DELAY_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}

/** @throws the signal's reason once it is aborted. */
export function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const end = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, delayMs);
    signal?.addEventListener('abort', end, { once: true });
  });
}
