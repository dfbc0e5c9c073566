import type { Clock, Timer } from '../common/clock.js';
import type { PeersService } from '../peers/peers.service.js';
import type { Partition } from './cluster-port.js';

/** What is done to one link. */
export interface LinkFault {
  readonly cut: boolean;
  readonly delayMs: number;
  readonly jitterMs: number;
}

interface Lasting<T> {
  readonly fault: T;
  readonly endsAtMs: number;
  readonly timer: Timer;
}

export interface LinkFaultsInit {
  readonly nodeId: string;
  readonly peers: Pick<PeersService, 'refuse' | 'allow' | 'delay' | 'redial'>;
  readonly clock: Clock;
  /** A fault has ended by itself. */
  readonly ended: (what: string) => void;
}

/** The faults of this node's links: which are cut or slow, and when they end by themselves. */
export class LinkFaults {
  readonly #given: LinkFaultsInit;
  readonly #links = new Map<string, Lasting<LinkFault>>();
  /** Nodes with which this node refuses links, because a fault says so. */
  readonly #refused = new Set<string>();
  #partition: Lasting<Partition['groups']> | undefined;

  constructor(given: LinkFaultsInit) {
    this.#given = given;
  }

  /** What was done to single links, by node id, and the seconds until it ends. */
  get links(): { readonly nodeId: string; readonly fault: LinkFault; readonly endsInSeconds: number }[] {
    return [...this.#links].map(([nodeId, { fault, endsAtMs }]) => ({
      nodeId,
      fault,
      endsInSeconds: this.#secondsTo(endsAtMs),
    }));
  }

  get partition(): Partition | undefined {
    if (this.#partition === undefined) return undefined;
    return { groups: this.#partition.fault, seconds: this.#secondsTo(this.#partition.endsAtMs) };
  }

  /** Links that are cut, and links that are slow. */
  get count(): { readonly cut: number; readonly slow: number } {
    const slow = [...this.#links.values()].filter(({ fault }) => !fault.cut).length;
    return { cut: this.#refused.size, slow };
  }

  /** In place of an earlier partition. */
  divide({ groups, seconds }: Partition): void {
    this.#partition?.timer.cancel();
    this.#partition = this.#lasting(groups, seconds, () => {
      this.#partition = undefined;
      return 'The network is whole again';
    });
    this.#settle();
  }

  /** In place of an earlier fault of this link. */
  disturb(nodeId: string, fault: LinkFault, seconds: number): void {
    this.#links.get(nodeId)?.timer.cancel();
    const lasting = this.#lasting(fault, seconds, () => {
      this.#links.delete(nodeId);
      this.#given.peers.delay(nodeId, undefined);
      return `The link with ${nodeId} is as usual again`;
    });
    this.#links.set(nodeId, lasting);
    this.#given.peers.delay(nodeId, fault.cut ? undefined : fault);
    this.#settle();
  }

  /** Ends what `disturb` began; false: there was nothing. */
  mend(nodeId: string): boolean {
    const link = this.#links.get(nodeId);
    if (link === undefined) return false;
    link.timer.cancel();
    this.#links.delete(nodeId);
    this.#given.peers.delay(nodeId, undefined);
    this.#settle();
    return true;
  }

  /** Ends all. */
  mendAll(): void {
    this.#partition?.timer.cancel();
    this.#partition = undefined;
    for (const nodeId of this.#links.keys()) this.mend(nodeId);
    this.#settle();
  }

  stop(): void {
    this.#partition?.timer.cancel();
    for (const { timer } of this.#links.values()) timer.cancel();
  }

  #lasting<T>(fault: T, seconds: number, end: () => string): Lasting<T> {
    const { clock, ended } = this.#given;
    const timer = clock.after(seconds * 1000, () => {
      const what = end();
      this.#settle();
      ended(what);
    });
    return { fault, endsAtMs: clock.monotonicMs() + seconds * 1000, timer };
  }

  /** Refuses the links that are to be cut now, and allows those that are no longer. */
  #settle(): void {
    const { peers } = this.#given;
    const wanted = this.#cutOff();
    for (const nodeId of wanted) {
      if (this.#refused.has(nodeId)) continue;
      this.#refused.add(nodeId);
      peers.refuse(nodeId, 'lab');
    }
    for (const nodeId of this.#refused) {
      if (wanted.has(nodeId)) continue;
      this.#refused.delete(nodeId);
      peers.allow(nodeId, 'lab');
    }
  }

  #cutOff(): ReadonlySet<string> {
    const { nodeId } = this.#given;
    const groups = this.#partition?.fault ?? [];
    const own = groups.find((group) => group.includes(nodeId));
    const beyond = own === undefined ? [] : groups.filter((group) => group !== own).flat();
    const single = [...this.#links].filter(([, { fault }]) => fault.cut).map(([other]) => other);
    return new Set([...beyond, ...single]);
  }

  #secondsTo(endsAtMs: number): number {
    return Math.max(0, Math.ceil((endsAtMs - this.#given.clock.monotonicMs()) / 1000));
  }
}
