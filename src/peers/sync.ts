import type { ChainService } from '../chain/chain.service.js';
import type { Clock, Timer } from '../common/clock.js';
import type { Logger } from '../common/logger.js';
import { RuleError } from '../consensus/rule-error.js';
import { BlockDownload, RequestPace } from './block-download.js';
import { fetchHeaders, type HeaderBranch } from './header-sync.js';
import { WireError } from './messages.js';
import type { Peer } from './peer.js';
import { RequestFailedError } from './session.js';
import type { PeerTip } from './wire.js';

/** A peer whose tip led nowhere is left alone for so long, doubling each time. */
const FIRST_RETRY_MS = 4_000;
const MAX_RETRY_MS = 64_000;
const LOG_EVERY_MS = 5_000;
/** A difference of a few blocks is everyday gossip: not worth a line in the log, nor that anything else should wait. */
const NOTEWORTHY_BLOCKS = 10;

export type SyncState = 'idle' | 'headers' | 'blocks';

/** Progress of the present sync; of the last one while idle. */
export interface SyncStatus {
  readonly state: SyncState;
  /** 0..1, of the blocks of this sync; 1 while idle. */
  readonly progress: number;
  readonly height: number;
  /** Where the checked headers lead; what a peer merely claims does not count. */
  readonly targetHeight: number;
  readonly blocksPerSecond: number;
  readonly etaSeconds: number | null;
  /** Node id of the peer whose headers are followed. */
  readonly peer: string | null;
}

/** What sync needs of the rest of the module. */
export interface SyncPorts {
  peers(): Iterable<Peer>;
  blame(peer: Peer, error: RuleError | WireError): void;
  /** A header of the peer lies too far in the future; it will be asked for again. */
  tooNew(peer: Peer, error: RuleError): void;
  /** The state changed between idle and busy. */
  stateChanged(state: SyncState): void;
}

interface Run {
  readonly peer: Peer;
  readonly startedAtMs: number;
  done: number;
  total: number;
  targetHeight: number;
  loggedAtMs: number;
  download?: BlockDownload;
}

/** What came of the runs with a peer. */
interface Standing {
  readonly triedAtMs: number;
  /** Runs in a row that led nowhere; such a peer is neither run after at once, nor given up. */
  readonly failures: number;
  readonly retryAtMs: number;
}

/**
 * Brings our chain up to the best one that a peer shows, headers first. One run at a time; peers that show more work
 * meanwhile are looked at when it ends, each in its turn, so a sync can neither be forgotten nor hang on one peer.
 */
export class Sync {
  #state: SyncState = 'idle';
  #run: Run | undefined;
  #lastRate = 0;
  #standings = new WeakMap<Peer, Standing>();
  #retry: Timer | undefined;
  readonly #pace = new RequestPace();
  #stopped = false;

  constructor(
    private readonly chain: ChainService,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly ports: SyncPorts,
  ) {}

  get state(): SyncState {
    return this.#state;
  }

  get isCatchingUp(): boolean {
    return this.#state === 'blocks' && this.#run !== undefined && this.#run.total >= NOTEWORTHY_BLOCKS;
  }

  get status(): SyncStatus {
    const run = this.#run;
    const height = this.chain.tip.height;
    if (run === undefined) {
      const idle = {
        state: 'idle',
        progress: 1,
        blocksPerSecond: this.#lastRate,
        etaSeconds: null,
        peer: null,
      } as const;
      return { ...idle, height, targetHeight: height };
    }
    const rate = this.#rateOf(run);
    return {
      state: this.#state,
      progress: run.total === 0 ? 0 : run.done / run.total,
      height,
      targetHeight: run.targetHeight,
      blocksPerSecond: rate,
      etaSeconds: rate === 0 ? null : Math.ceil((run.total - run.done) / rate),
      peer: run.peer.nodeId,
    };
  }

  /** The peer may have a better chain than ours: sync with it, now or when the present run ends. */
  consider(peer: Peer): void {
    if (this.#run === undefined && this.#isWorthwhile(peer) && this.#isDue(peer, this.clock.nowMs())) {
      this.#start(peer);
    }
  }

  /** Considers all peers, also those that led nowhere before. For GET /sync. */
  restart(): void {
    this.#standings = new WeakMap();
    this.#considerAll();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#run?.download?.stop();
  }

  /** The peer whose last turn is longest ago comes first, or one that claims too much would always be preferred. */
  #considerAll(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    const now = this.clock.nowMs();
    const candidates = [...this.ports.peers()].filter((peer) => this.#isWorthwhile(peer));
    const [next] = candidates
      .filter((peer) => this.#isDue(peer, now))
      .sort((a, b) => this.#lastTurnMs(a) - this.#lastTurnMs(b) || Number(b.tip.chainWork - a.tip.chainWork));
    if (next !== undefined) this.consider(next);
    else if (candidates.length > 0) {
      const dueMs = Math.min(...candidates.map((peer) => this.#retryAtMs(peer)));
      this.#retry = this.clock.after(dueMs - now, () => this.#considerAll());
    }
  }

  /** Also when its time is further off than any retry is set: then the clock has been set back. */
  #isDue(peer: Peer, now: number): boolean {
    const waitMs = this.#retryAtMs(peer) - now;
    return waitMs <= 0 || waitMs > MAX_RETRY_MS;
  }

  #retryAtMs(peer: Peer): number {
    return this.#standings.get(peer)?.retryAtMs ?? 0;
  }

  #lastTurnMs(peer: Peer): number {
    return this.#standings.get(peer)?.triedAtMs ?? peer.connectedAtMs;
  }

  /** More work than ours, or as much on a tip that we do not know (or a tie would never be seen). */
  #isWorthwhile(peer: Peer): boolean {
    const { chainWork, hash } = peer.tip;
    if (this.#stopped || peer.session.isClosed || chainWork < this.chain.tip.chainWork) return false;
    return this.chain.node(hash) === undefined && this.chain.invalidCode(hash) === undefined;
  }

  #start(peer: Peer): void {
    const now = this.clock.nowMs();
    const aim = peer.tip.hash;
    this.#run = { peer, startedAtMs: now, done: 0, total: 0, targetHeight: this.chain.tip.height, loggedAtMs: now };
    this.#synchronise(this.#run)
      .catch((error: unknown): boolean => {
        this.#failed(peer, error);
        return false;
      })
      .then((isAdvanced) => {
        this.#note(peer, isAdvanced || this.chain.node(aim) !== undefined);
        this.#finish();
      })
      .catch((error: unknown) => this.log.error({ err: error }, 'sync ended badly'));
  }

  #note(peer: Peer, isFruitful: boolean): void {
    const triedAtMs = this.clock.nowMs();
    const failures = isFruitful ? 0 : (this.#standings.get(peer)?.failures ?? 0) + 1;
    const waitMs = isFruitful ? 0 : Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
    this.#standings.set(peer, { triedAtMs, failures, retryAtMs: triedAtMs + waitMs });
  }

  /** @returns whether any block came of it. */
  async #synchronise(run: Run): Promise<boolean> {
    this.#enter('headers');
    const claimed = run.peer.tip;
    const tooNew = (error: RuleError): void => this.ports.tooNew(run.peer, error);
    const headers = await fetchHeaders(run.peer, this.chain, this.clock, tooNew);
    this.#checkClaim(run.peer, claimed, headers);
    const branch = headers.nodes;
    const [first, end] = [branch[0], branch.at(-1)];
    if (first === undefined || end === undefined || end.chainWork < this.chain.tip.chainWork || this.#stopped)
      return false;
    run.total = branch.length;
    run.targetHeight = end.height;
    this.#enter('blocks');
    if (branch.length >= NOTEWORTHY_BLOCKS) {
      this.log.info({ peer: run.peer.nodeId, blocks: branch.length, target: end.height }, 'Syncing blocks');
    }
    run.download = new BlockDownload(branch, this.chain, this.clock, this.#pace, {
      sources: () => this.#sources(run.peer, end.chainWork),
      blame: (peer, error) => this.ports.blame(peer, error),
      progress: (count) => this.#progress(run, count),
    });
    const result = await run.download.run();
    if (result !== 'complete') this.log.info({ peer: run.peer.nodeId, result, done: run.done }, 'sync broken off');
    else if (branch.length >= NOTEWORTHY_BLOCKS) {
      const seconds = (this.clock.nowMs() - run.startedAtMs) / 1000;
      const facts = { blocks: run.done, seconds, blocksPerSecond: this.#rateOf(run) };
      this.log.info(facts, `Synced to height ${this.chain.tip.height}`);
    }
    return this.chain.node(first.hash) !== undefined;
  }

  /**
   * Work at a peer never goes down, so headers that it sends after it told of a tip show as much work as that, or it
   * lies. Headers that go on and on without coming to the work that we have already are as bad: cheap ones of a fork
   * from long ago, maybe. What is fetched of either is thrown away.
   */
  #checkClaim(peer: Peer, claimed: PeerTip, { nodes, end }: HeaderBranch): void {
    const ours = this.chain.tip.chainWork;
    // What came by another way meanwhile, the headers did not have to show.
    if (end === 'too-new' || ours >= claimed.chainWork || this.chain.node(claimed.hash) !== undefined) return;
    const shown = nodes.at(-1)?.chainWork ?? 0n;
    if (end === 'whole' && shown < claimed.chainWork) {
      const detail = `its headers show work ${shown}, it claims ${claimed.chainWork}`;
      this.ports.blame(peer, new WireError('unproven-work', detail));
    } else if (end === 'cut' && shown < ours) {
      const detail = `${nodes.length} headers show work ${shown}, less than our chain has`;
      this.ports.blame(peer, new WireError('low-work-headers', detail));
    }
  }

  /** The peer that showed the headers, then those that say they have as much. */
  *#sources(origin: Peer, chainWork: bigint): Iterable<Peer> {
    yield origin;
    for (const peer of this.ports.peers()) if (peer !== origin && peer.tip.chainWork >= chainWork) yield peer;
  }

  #progress(run: Run, count: number): void {
    run.done += count;
    const now = this.clock.nowMs();
    if (now - run.loggedAtMs < LOG_EVERY_MS) return;
    run.loggedAtMs = now;
    const { progress, blocksPerSecond, etaSeconds } = this.status;
    this.log.info(
      { height: this.chain.tip.height, target: run.targetHeight, blocksPerSecond, etaSeconds },
      `Syncing: ${Math.floor(progress * 100)} %`,
    );
  }

  #rateOf(run: Run): number {
    const seconds = (this.clock.nowMs() - run.startedAtMs) / 1000;
    return seconds === 0 ? 0 : Math.round(run.done / seconds);
  }

  #failed(peer: Peer, error: unknown): void {
    if (error instanceof RuleError && error.code === 'checkpoint-mismatch') this.chain.refusedByCheckpoint(error);
    else if (error instanceof RuleError || error instanceof WireError) this.ports.blame(peer, error);
    else if (error instanceof RequestFailedError)
      this.log.debug({ peer: peer.nodeId, reason: error.message }, 'sync broken off');
    else this.log.error({ err: error }, 'sync failed on our side');
  }

  #finish(): void {
    this.#lastRate = this.#run === undefined ? 0 : this.#rateOf(this.#run);
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
