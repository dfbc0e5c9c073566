import type { EventEmitter } from 'node:events';

/**
 * Emits an event such that a listener that throws keeps neither the other listeners from hearing of it nor the caller
 * from going on; its error goes to `onFault`.
 */
export function tellAll(
  emitter: Pick<EventEmitter, 'rawListeners'>,
  name: string,
  payload: unknown,
  onFault: (error: Error) => void,
): void {
  for (const listener of emitter.rawListeners(name)) {
    try {
      listener.call(emitter, payload);
    } catch (error) {
      onFault(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
