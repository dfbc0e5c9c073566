const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs something that goes on until somebody stops it: Ctrl-C, SIGTERM, or a terminal that closes. That is how it is meant
 * to end, so it ends without an error. `stop` does the same.
 */
export async function untilStopped(run: (signal: AbortSignal, stop: () => void) => Promise<void>): Promise<void> {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    await run(stopped.signal, stop);
  } finally {
    stop();
    for (const signal of SIGNALS) process.removeListener(signal, stop);
  }
}

/** Resolves once `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
