import type { FeedEvent } from '../../events/event-schemas.js';
import type { NodeClient } from '../node-client.js';
import { downReason } from './down-reason.js';

export interface StreamListener {
  /** The stream is open. After a break it goes on with what was missed, or with a `reset` event. */
  opened(): void;
  event(event: FeedEvent, id: string): void;
  /** The stream broke off, or could not be opened; it is tried again and again. Told once for each break. */
  lost(reason: string): void;
}

/** The events of a node, also while it is away or not there yet, until `signal` is aborted. */
export async function followEvents(client: NodeClient, listener: StreamListener, signal: AbortSignal): Promise<void> {
  let isLost = false;
  const events = client.events({
    signal,
    isPatient: true,
    onOpen: () => {
      isLost = false;
      listener.opened();
    },
    onBreak: (error) => {
      if (!isLost) listener.lost(downReason(error));
      isLost = true;
    },
  });
  for await (const { event, id } of events) listener.event(event, id);
}
