import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedEvent } from '../../events/event-schemas.js';
import { NodeBusyError, type NodeClient } from '../node-client.js';
import type { Terminal } from '../terminal.js';
import { followEvents } from './event-stream.js';

const RETRY_MS = 1_000;

export interface ChangeWatch {
  readonly client: NodeClient;
  readonly terminal: Pick<Terminal, 'stderr'>;
  readonly signal: AbortSignal;
  /** Whether an event may have changed what is shown. */
  readonly isRelevant: (event: FeedEvent) => boolean;
  /** Asks the node, and shows it. It runs once at first; at most once at a time, and again after what came meanwhile. */
  readonly refresh: () => Promise<void>;
  /** Between two runs, however many events come. */
  readonly pauseMs: number;
  /** Runs without an event so often; undefined: never. */
  readonly everyMs?: number;
}

/**
 * Runs `refresh` when something has changed, until `signal` is aborted. While the node is gone it waits for it.
 * @throws CliError for what waiting does not mend, such as a refused question.
 */
export async function onChange(watch: ChangeWatch): Promise<void> {
  const { client, terminal, signal, isRelevant, refresh, pauseMs, everyMs } = watch;
  const failed = new AbortController();
  const until = AbortSignal.any([signal, failed.signal]);
  let failure: unknown;
  let isDue = true;
  let wake = (): void => {};
  const changed = (): void => {
    isDue = true;
    wake();
  };
  const stream = followEvents(
    client,
    {
      opened: changed,
      event: (event) => {
        if (event.type === 'reset' || isRelevant(event)) changed();
      },
      lost: (reason) => terminal.stderr.write(`minichain: ${client.url} does not answer: ${reason}; still waiting\n`),
    },
    until,
  );
  until.addEventListener('abort', () => wake());
  while (!until.aborted) {
    isDue = false;
    try {
      await refresh();
    } catch (error) {
      if (!(error instanceof NodeBusyError)) {
        if (!signal.aborted) failure = error;
        failed.abort();
        break;
      }
      isDue = true;
      await sleep(RETRY_MS, undefined, { signal: until }).catch(() => undefined);
    }
    await sleep(pauseMs, undefined, { signal: until }).catch(() => undefined);
    if (isDue || until.aborted) continue;
    await new Promise<void>((resolve) => {
      const timer = everyMs === undefined ? undefined : setTimeout(resolve, everyMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
  await stream;
  if (failure !== undefined) throw failure;
}
