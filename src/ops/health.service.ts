import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Clock } from '../common/clock.js';
import { Faults, PassingFault } from '../common/faults.js';
import { CLOCK } from '../common/tokens.js';
import { BlockDamagedError } from '../chain/chain.store.js';
import { ChainService } from '../chain/chain.service.js';
import { PeersService } from '../peers/peers.service.js';
import { DatabaseBusyError } from '../storage/storage-errors.js';
import { StorageWatch } from '../storage/storage-watch.js';
import { HealthStore } from './health.store.js';

const PROBE_PERIOD_MS = 5_000;
/**
 * How long a fault lasts at least, when no later write of a block shows that it is over: a probe's few bytes may still
 * fit where a block's do not.
 */
const FAULT_HOLD_MS = 30_000;
/** A few blocks behind is how gossip is; more is a sync, whose answers would mislead. */
const MAX_BLOCKS_BEHIND = 24;

/**
 * Is this node ready to serve requests? It is, as long as no reason speaks against it: `listening`, `storage`, `locked`,
 * `data_dir`, `blocks`, `sync`, `shutdown`, or what another module names.
 */
@Injectable()
export class HealthService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #objections = new Map<string, string>([['listening', 'the servers do not listen yet']]);
  readonly #listeners = new Set<(ready: boolean) => void>();
  #announced = false;
  #probedMs = -Infinity;
  #faultMs = -Infinity;

  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly chain: ChainService,
    private readonly peers: PeersService,
    private readonly faults: Faults,
    private readonly store: HealthStore,
    private readonly watch: StorageWatch,
  ) {}

  onApplicationBootstrap(): void {
    this.watch.onChange((problem) => this.setReady('data_dir', problem === undefined, problem));
    this.faults.on((error) => this.reportFault(error));
    this.chain.events.on('block', () => {
      this.#faultMs = -Infinity;
      this.setReady('storage', true);
    });
    this.peers.events.on('catchingUp', () => this.#checkSync());
    for (const name of ['damaged', 'mended'] as const) this.chain.events.on(name, () => this.#checkBlocks());
    this.#checkBlocks();
  }

  beforeApplicationShutdown(): void {
    this.setReady('shutdown', false, 'the node is shutting down');
  }

  /** Withdraws (`ok`) or raises the objection `reason`; `detail` says in words what is wrong. */
  setReady(reason: string, ok: boolean, detail = 'not ready'): void {
    if (ok) this.#objections.delete(reason);
    else this.#objections.set(reason, detail);
    const ready = this.#objections.size === 0;
    if (ready === this.#announced) return;
    this.#announced = ready;
    for (const listener of this.#listeners) listener(ready);
  }

  /** A fault of our own (disk full, broken invariant): unready until a later write works. */
  reportFault(error: Error): void {
    // They have reasons of their own, and writes may work all the same.
    if (error instanceof BlockDamagedError || error instanceof PassingFault) return;
    this.#faultMs = this.clock.monotonicMs();
    this.setReady('storage', false, `the last write failed: ${error.message}`);
  }

  /** Why the node is not ready, as "reason: detail"; empty when it is. Probes the database, at most every 5 s. */
  reasons(): string[] {
    this.#checkSync();
    this.watch.look();
    this.#checkStorage();
    return [...this.#objections].map(([reason, detail]) => `${reason}: ${detail}`);
  }

  /** Calls `listener` with the present state and on every change of it. */
  onChange(listener: (ready: boolean) => void): void {
    this.#listeners.add(listener);
    listener(this.#announced);
  }

  #checkSync(): void {
    const { height, targetHeight } = this.peers.syncStatus();
    // Headers alone may be of a branch whose blocks never come.
    const behind = this.peers.isCatchingUp ? targetHeight - height : 0;
    this.setReady('sync', behind <= MAX_BLOCKS_BEHIND, `${behind} blocks behind`);
  }

  #checkBlocks(): void {
    const heights = [...this.chain.damagedBlocks].map(({ height }) => height);
    const detail = `stored blocks are damaged, and no peer has sent them again yet: ${heights.slice(0, 10).join(', ')}`;
    this.setReady('blocks', heights.length === 0, detail);
  }

  #checkStorage(): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - this.#probedMs < PROBE_PERIOD_MS) return;
    this.#probedMs = nowMs;
    try {
      this.store.saveProbe(this.clock.nowMs());
      this.setReady('locked', true);
      if (nowMs - this.#faultMs >= FAULT_HOLD_MS) this.setReady('storage', true);
    } catch (error) {
      if (error instanceof DatabaseBusyError) this.setReady('locked', false, error.message);
      else this.reportFault(error as Error);
    }
  }
}
