import type { ChainService } from '../chain/chain.service.js';
import type { Clock, Timer } from '../common/clock.js';
import { PassingFault } from '../common/faults.js';
import type { Logger } from '../common/logger.js';
import { RuleError } from '../consensus/rule-error.js';
import { RequestPace } from './block-download.js';
import { WireError } from './messages.js';
import type { Peer } from './peer.js';
import { RequestFailedError } from './session.js';
import { SyncRun, type SyncRunPorts } from './sync-run.js';
import { SyncTurns } from './sync-turns.js';

export type SyncState = 'idle' | 'headers' | 'blocks';

/** Progress of the present sync; of the last one while idle. */
export interface SyncStatus {
  readonly state: SyncState;
  /** 0..1, of the blocks of this sync; 1 while idle. */
  readonly progress: number;
  readonly height: number;
  /** Height of the last checked header; what a peer only claims does not count. */
  readonly targetHeight: number;
  readonly blocksPerSecond: number;
  readonly etaSeconds: number | null;
  /** Node id of the peer whose headers are followed. */
  readonly peer: string | null;
}

/** What sync needs of the rest of the module. */
export interface SyncPorts extends Omit<SyncRunPorts, 'entered'> {
  stateChanged(state: SyncState): void;
}

/**
 * Brings our chain up to the best one that a peer shows. One run at a time; peers that show more work meanwhile are
 * looked at when it ends, each in its turn, so a sync can neither be forgotten nor depend on one peer.
 */
export class Sync {
  #state: SyncState = 'idle';
  #run: SyncRun | undefined;
  #lastRate = 0;
  #retry: Timer | undefined;
  readonly #turns = new SyncTurns();
  readonly #pace = new RequestPace();
  #stopped = false;

  constructor(
    private readonly chain: ChainService,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly ports: SyncPorts,
  ) {}

  get isCatchingUp(): boolean {
    return this.#state === 'blocks' && this.#run?.isLong === true;
  }

  get status(): SyncStatus {
    const run = this.#run;
    const height = this.chain.tip.height;
    return {
      state: this.#state,
      progress: run?.progress ?? 1,
      height,
      targetHeight: run?.targetHeight ?? height,
      blocksPerSecond: run?.blocksPerSecond ?? this.#lastRate,
      etaSeconds: run?.etaSeconds ?? null,
      peer: run?.peer.nodeId ?? null,
    };
  }

  /** The peer may have a better chain than ours: sync with it, now or when the present run ends. */
  consider(peer: Peer): void {
    if (this.#run === undefined && this.#isWorthwhile(peer) && this.#turns.isDue(peer, this.clock.monotonicMs())) {
      this.#start(peer);
    }
  }

  /** Considers all peers, also those that led nowhere before. For GET /sync. */
  restart(): void {
    this.#turns.forget();
    this.#considerAll();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#run?.stop();
  }

  #considerAll(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    const nowMs = this.clock.monotonicMs();
    const candidates = [...this.ports.peers()].filter((peer) => this.#isWorthwhile(peer));
    const next = this.#turns.next(candidates, nowMs);
    if (next !== undefined) this.consider(next);
    else if (candidates.length > 0) {
      this.#retry = this.clock.after(this.#turns.waitMs(candidates, nowMs), () => this.#considerAll());
    }
  }

  /** More work than ours, or as much on a tip that we do not know (otherwise a tie would never be seen). */
  #isWorthwhile(peer: Peer): boolean {
    const { chainWork, hash } = peer.tip;
    if (this.#stopped || peer.session.isClosed || chainWork < this.chain.tip.chainWork) return false;
    return this.chain.node(hash) === undefined && this.chain.invalidCode(hash) === undefined;
  }

  #start(peer: Peer): void {
    const { chain, clock, log, ports } = this;
    const aim = peer.tip.hash;
    const entered = (phase: SyncState): void => this.#enter(phase);
    const run = new SyncRun({ peer, chain, clock, log, pace: this.#pace, ports: { ...ports, entered } });
    this.#run = run;
    run
      .run()
      .catch((error: unknown): boolean => {
        this.#failed(peer, error);
        return false;
      })
      .then((isAdvanced) => {
        this.#turns.note(peer, isAdvanced || this.chain.node(aim) !== undefined, this.clock.monotonicMs());
        this.#finish(run);
      })
      .catch((error: unknown) => this.log.error({ err: error }, 'Failed to finish a sync'));
  }

  #failed(peer: Peer, error: unknown): void {
    if (error instanceof RuleError && error.code === 'checkpoint-mismatch') this.chain.refusedByCheckpoint(error);
    else if (error instanceof RuleError || error instanceof WireError) this.ports.blame(peer, error);
    else if (error instanceof RequestFailedError) {
      this.log.debug({ peer: peer.nodeId, reason: error.message }, `Sync stopped: ${error.message}`);
    } else if (error instanceof PassingFault) {
      this.log.info(
        { reason: error.message },
        'Sync stopped because the database takes no writes now; trying again soon',
      );
    } else this.log.error({ err: error }, 'Sync failed on our side');
  }

  #finish(run: SyncRun): void {
    this.#lastRate = run.blocksPerSecond;
    this.#run = undefined;
    if (this.#stopped) return;
    this.#enter('idle');
    this.#considerAll();
  }

  #enter(state: SyncState): void {
    this.#state = state;
    this.ports.stateChanged(state);
  }
}
