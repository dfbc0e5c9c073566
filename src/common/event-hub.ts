type Listener<T> = (payload: T) => void;

/** What subscribers see of a module's events: they can listen, and nothing else. `Map`: event name -> payload. */
export interface EventSource<EventMap> {
  /** @returns a function that ends the subscription. */
  on<Name extends keyof EventMap>(name: Name, listener: Listener<EventMap[Name]>): () => void;
  /** As `on`, for the next event alone. */
  once<Name extends keyof EventMap>(name: Name, listener: Listener<EventMap[Name]>): () => void;
}

/** The owner's end of its events: only who holds the hub can emit. Listeners are called in the order of subscription. */
export class EventHub<EventMap> implements EventSource<EventMap> {
  readonly #listeners = new Map<keyof EventMap, Set<Listener<never>>>();

  /** @param onFault told of the error of a listener that throws in `emit`. */
  constructor(private readonly onFault: (error: Error) => void) {}

  on<Name extends keyof EventMap>(name: Name, listener: Listener<EventMap[Name]>): () => void {
    // A function of its own, so that one listener can be subscribed twice.
    const own: Listener<EventMap[Name]> = (payload) => listener(payload);
    const present = this.#listeners.get(name);
    if (present === undefined) this.#listeners.set(name, new Set([own]));
    else present.add(own);
    return () => void this.#listeners.get(name)?.delete(own);
  }

  once<Name extends keyof EventMap>(name: Name, listener: Listener<EventMap[Name]>): () => void {
    const off = this.on(name, (payload) => {
      off();
      listener(payload);
    });
    return off;
  }

  /** Calls all listeners. One that throws stops neither the others nor the caller; its error goes to `onFault`. */
  emit<Name extends keyof EventMap>(name: Name, payload: EventMap[Name]): void {
    for (const listener of this.#listenersOf(name)) {
      try {
        listener(payload);
      } catch (error) {
        this.onFault(error instanceof Error ? error : new Error(String(error)));
      }
    }
  }

  /** Calls all listeners; the first that throws ends it, and its error goes to the caller. */
  emitOrThrow<Name extends keyof EventMap>(name: Name, payload: EventMap[Name]): void {
    for (const listener of this.#listenersOf(name)) listener(payload);
  }

  #listenersOf<Name extends keyof EventMap>(name: Name): Listener<EventMap[Name]>[] {
    return [...(this.#listeners.get(name) ?? [])] as Listener<EventMap[Name]>[];
  }
}
