import type { Clock } from '../common/clock.js';
import {
  ClusterRefusedError,
  type ClusterListener,
  type ClusterNode,
  type ClusterPort,
  type ClusterRequest,
  type ToNode,
  type ToParent,
} from './cluster-port.js';

/** The parent answers at once if it is ours. */
const HELLO_MS = 1_000;

/** As much of a process as it takes to talk to its parent. */
export interface ParentChannel {
  on(event: 'message', listener: (message: unknown) => void): unknown;
  send?: ((message: ToParent) => boolean) | undefined;
  readonly connected: boolean;
}

/** The parent of a cluster at the other end of this process's channel. */
export class IpcCluster implements ClusterPort {
  nodes: readonly ClusterNode[] | undefined;
  readonly #asked = new Map<number, PromiseWithResolvers<void>>();
  #lastId = 0;

  constructor(
    private readonly channel: ParentChannel,
    private readonly clock: Clock,
  ) {}

  async open(listener: ClusterListener): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.channel.on('message', (message) => {
      this.#receive(message as Partial<ToNode> | undefined, listener);
      if (this.nodes !== undefined) resolve();
    });
    this.#send({ lab: 'hello' });
    const timer = this.clock.after(HELLO_MS, resolve);
    await promise;
    timer.cancel();
  }

  ask(request: ClusterRequest): Promise<void> {
    const id = (this.#lastId += 1);
    const asked = Promise.withResolvers<void>();
    this.#asked.set(id, asked);
    this.#send({ lab: 'ask', id, request });
    return asked.promise;
  }

  /** Another kind of parent may send messages of its own. */
  #receive(given: Partial<ToNode> | undefined, listener: ClusterListener): void {
    const message = given as ToNode | undefined;
    switch (message?.lab) {
      case 'nodes': {
        const before = this.nodes;
        this.nodes = message.nodes;
        listener.nodesChanged(message.nodes, before);
        return;
      }
      case 'order':
        listener.obey(message.order);
        this.#send({ lab: 'done', id: message.id });
        return;
      case 'answer': {
        const asked = this.#asked.get(message.id);
        this.#asked.delete(message.id);
        if (message.refusal === undefined) asked?.resolve();
        else asked?.reject(new ClusterRefusedError(message.refusal.code, message.refusal.message));
        return;
      }
      case undefined:
    }
  }

  #send(message: ToParent): void {
    // A parent that is gone takes this node with it.
    if (this.channel.connected) this.channel.send?.(message);
  }
}
