const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Runs something that goes on until somebody stops it: Ctrl-C, SIGTERM, or a terminal that closes. That is how it is meant
 * to end, so it ends without an error. `stop` does the same.
 */
export async function untilStopped(run: (signal: AbortSignal, stop: () => void) => Promise<void>): Promise<void> {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  // Without a terminal it goes on, as nohup asks (see hang-up.ts).
  const hangUp = (): void => {
    if (process.stdout.isTTY || process.stderr.isTTY) stop();
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  process.on('SIGHUP', hangUp);
  try {
    await run(stopped.signal, stop);
  } finally {
    stop();
    for (const signal of SIGNALS) process.removeListener(signal, stop);
    process.removeListener('SIGHUP', hangUp);
  }
}
