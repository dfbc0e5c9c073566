import type { ChainService } from '../chain/chain.service.js';
import type { Clock, Timer } from '../common/clock.js';
import { PassingFault } from '../common/faults.js';
import { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { RuleError } from '../consensus/rule-error.js';
import { CatchingUp } from './catching-up.js';
import { WireError } from './messages.js';
import type { Peer } from './peer.js';
import { RequestPace } from './request-pace.js';
import { RequestFailedError } from './session.js';
import { SyncRun, type SyncRunPorts } from './sync-run.js';
import { SyncTurns } from './sync-turns.js';

/** Runs that fetch headers at a time. A further one starts when those before it have taken longer than this. */
const MAX_HEADER_RUNS = 3;
const BESIDE_MS = 2_000;
/** A peer that shows a better tip and then leaves a request for headers unanswered for this long is blamed. */
const STALLING_MS = 8_000;

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
export interface SyncPorts extends Pick<SyncRunPorts, 'peers' | 'blame' | 'tooNew'> {
  stateChanged(state: SyncState): void;
  catchingUpChanged(isCatchingUp: boolean): void;
}

/**
 * Brings our chain up to the best one that a peer shows. One run at a time fetches blocks; peers that show more work
 * meanwhile are looked at when it ends, each in its turn, so a sync can neither be forgotten nor depend on one peer. A
 * run that makes little progress gives way to them, and beside a peer that is slow to show headers others are asked.
 */
export class Sync {
  #state: SyncState = 'idle';
  /** All runs, the longest first. */
  readonly #runs = new Set<SyncRun>();
  /** The one that fetches blocks. */
  #main: SyncRun | undefined;
  #lastRate = 0;
  #startedAtMs = -Infinity;
  #retry: Timer | undefined;
  #beside: Timer | undefined;
  readonly #turns = new SyncTurns();
  readonly #pace = new RequestPace();
  readonly #catchingUp: CatchingUp;
  readonly #lines: LogLimiter;
  #stopped = false;

  constructor(
    private readonly chain: ChainService,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly ports: SyncPorts,
  ) {
    this.#lines = new LogLimiter(log, clock);
    this.#catchingUp = new CatchingUp(clock, (isCatchingUp) => ports.catchingUpChanged(isCatchingUp));
  }

  /** Blocks of a better chain are coming in quickly: nothing should be built on the present tip. */
  get isCatchingUp(): boolean {
    return this.#catchingUp.isCatchingUp;
  }

  get status(): SyncStatus {
    const run = this.#main ?? [...this.#runs][0];
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

  /** The peer may have a better chain than ours: sync with it, now or when there is room for one more run. */
  consider(peer: Peer): void {
    if (this.#hasRoom() && this.#isWaiting(peer)) this.#start(peer);
  }

  /** Considers all peers, also those that led nowhere before. For GET /sync. */
  restart(): void {
    this.#turns.forget();
    this.#considerAll();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#beside?.cancel();
    for (const run of this.#runs) run.stop();
    this.#catchingUp.end();
  }

  #considerAll(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    const nowMs = this.clock.monotonicMs();
    const candidates = [...this.ports.peers()].filter((peer) => this.#isWorthwhile(peer) && !this.#isRunning(peer));
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

  #isRunning(peer: Peer): boolean {
    for (const run of this.#runs) if (run.peer === peer) return true;
    return false;
  }

  /** Might it get us further, if it had its turn? */
  #isWaiting(peer: Peer): boolean {
    return this.#isWorthwhile(peer) && !this.#isRunning(peer) && this.#turns.isDue(peer, this.clock.monotonicMs());
  }

  #hasRoom(): boolean {
    if (this.#main !== undefined || this.#runs.size >= MAX_HEADER_RUNS) return false;
    const waitedMs = this.clock.monotonicMs() - this.#startedAtMs;
    return this.#runs.size === 0 || waitedMs >= BESIDE_MS;
  }

  #othersWait(isSource: (peer: Peer) => boolean): boolean {
    for (const peer of this.ports.peers()) if (!isSource(peer) && this.#isWaiting(peer)) return true;
    return false;
  }

  #start(peer: Peer): void {
    const { chain, clock, log } = this;
    const aim = peer.tip.hash;
    // One run may be patient, those beside it have to be quick.
    const patienceMs = this.#turns.patienceMs(peer, this.#runs.size > 0);
    const run: SyncRun = new SyncRun({
      peer,
      chain,
      clock,
      log,
      lines: this.#lines,
      pace: this.#pace,
      patienceMs,
      ports: {
        ...this.ports,
        enterBlocks: () => this.#enterBlocks(run),
        connecting: (first, last) => this.#connecting(first, last),
        othersWaitForHeaders: () => this.#runs.size >= MAX_HEADER_RUNS && this.#othersWait(() => false),
        othersWait: (isSource) => this.#othersWait(isSource),
      },
    });
    this.#runs.add(run);
    this.#startedAtMs = clock.monotonicMs();
    this.#beside?.cancel();
    this.#beside = clock.after(BESIDE_MS, () => this.#considerAll());
    this.#stateChanged();
    run
      .run()
      .catch((error: unknown): boolean => {
        this.#failed(peer, error, patienceMs);
        return false;
      })
      .then((isAdvanced) => {
        this.#turns.note(peer, isAdvanced || this.chain.node(aim) !== undefined, this.clock.monotonicMs());
        this.#finish(run);
      })
      .catch((error: unknown) => this.log.error({ err: error }, 'Failed to finish a sync'));
  }

  #enterBlocks(run: SyncRun): boolean {
    if (this.#main !== undefined) return false;
    this.#main = run;
    this.#stateChanged();
    return true;
  }

  /** A branch that stays aside, because it is weaker or refused, leaves everything as it is. */
  #connecting(first: BlockNode, last: BlockNode): void {
    const ours = this.chain.tip.chainWork;
    if (first.parent!.chainWork <= ours && ours < last.chainWork) {
      this.#catchingUp.connecting(last.height - first.height + 1);
    }
  }

  #failed(peer: Peer, error: unknown, patienceMs: number): void {
    if (error instanceof RuleError && error.code === 'checkpoint-mismatch') this.chain.refusedByCheckpoint(error);
    else if (error instanceof RuleError || error instanceof WireError) this.ports.blame(peer, error);
    else if (error instanceof RequestFailedError) {
      this.log.debug({ peer: peer.nodeId, reason: error.message }, `Sync stopped: ${error.message}`);
      if (error.reason === 'timeout' && patienceMs >= STALLING_MS) {
        this.ports.blame(peer, new WireError('stalling', `no headers of its branch in ${patienceMs} ms`));
      }
    } else if (error instanceof PassingFault) {
      const line = { level: 'info', kind: 'syncs without a database', host: peer.session.remoteHost } as const;
      const text = 'Sync stopped because the database takes no writes now; trying again soon';
      this.#lines.write(line, { reason: error.message }, text);
    } else {
      const line = { level: 'error', kind: 'failed syncs', host: peer.session.remoteHost } as const;
      this.#lines.write(line, { err: error }, 'Sync failed on our side');
    }
  }

  #finish(run: SyncRun): void {
    this.#runs.delete(run);
    if (this.#runs.size === 0) this.#beside?.cancel();
    if (this.#main === run) {
      this.#lastRate = run.blocksPerSecond;
      this.#main = undefined;
    }
    if (this.#stopped) return;
    this.#stateChanged();
    if (this.#main === undefined) this.#catchingUp.end();
    this.#considerAll();
  }

  #stateChanged(): void {
    const running: SyncState = this.#runs.size > 0 ? 'headers' : 'idle';
    const state = this.#main === undefined ? running : 'blocks';
    if (state === this.#state) return;
    this.#state = state;
    this.ports.stateChanged(state);
  }
}
