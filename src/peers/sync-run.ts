import type { ChainService } from '../chain/chain.service.js';
import { every, type Clock } from '../common/clock.js';
import type { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { RuleError } from '../consensus/rule-error.js';
import { BlockDownload, type DownloadResult } from './block-download.js';
import { fetchHeaders, type HeaderBranch } from './header-sync.js';
import { WireError } from './messages.js';
import type { Peer } from './peer.js';
import type { RequestPace } from './request-pace.js';
import type { PeerTip } from './wire.js';

const LOG_EVERY_MS = 5_000;
/** A minute, of one host: two for each sync. */
const SYNC_LINES = 60;
/** A difference of a few blocks is ordinary gossip, not worth a log line. */
const NOTEWORTHY_BLOCKS = 10;
/** A run that connects fewer blocks than this in each turn gives way to other branches. */
const TURN_MS = 10_000;
const TURN_BLOCKS = 320;

/** What a run needs of the rest of the module. */
export interface SyncRunPorts {
  peers(): Iterable<Peer>;
  blame(peer: Peer, error: RuleError | WireError): void;
  /** A header of the peer lies too far in the future; it will be requested again. */
  tooNew(peer: Peer, error: RuleError): void;
  /** The headers are worth fetching their blocks. False: another run does that already. */
  enterBlocks(): boolean;
  /** The verified blocks from `first` to `last` are about to be connected. */
  connecting(first: BlockNode, last: BlockNode): void;
  /** Does another peer that may have a better chain wait until this run fetches no more headers? */
  othersWaitForHeaders(): boolean;
  /** The same for blocks, without the peers of which `isSource` says that they are part of this run. */
  othersWait(isSource: (peer: Peer) => boolean): boolean;
}

export interface SyncRunInit {
  readonly peer: Peer;
  readonly chain: ChainService;
  readonly clock: Clock;
  readonly log: Logger;
  readonly lines: LogLimiter;
  readonly pace: RequestPace;
  /** For the headers of the peer. */
  readonly patienceMs: number;
  readonly ports: SyncRunPorts;
}

/** One attempt to reach the tip that a peer shows: its headers first, then the blocks from all peers that have them. */
export class SyncRun {
  readonly peer: Peer;
  readonly #given: SyncRunInit;
  readonly #startedAtMs: number;
  #done = 0;
  #total = 0;
  #targetHeight: number;
  #loggedAtMs: number;
  #download: BlockDownload | undefined;
  #stopped = false;

  constructor(given: SyncRunInit) {
    this.#given = given;
    this.peer = given.peer;
    this.#startedAtMs = this.#loggedAtMs = given.clock.monotonicMs();
    this.#targetHeight = given.chain.tip.height;
  }

  /** Height of the last checked header. */
  get targetHeight(): number {
    return this.#targetHeight;
  }

  /** 0..1 */
  get progress(): number {
    return this.#total === 0 ? 0 : this.#done / this.#total;
  }

  get blocksPerSecond(): number {
    const seconds = (this.#given.clock.monotonicMs() - this.#startedAtMs) / 1000;
    return seconds === 0 ? 0 : Math.round(this.#done / seconds);
  }

  get etaSeconds(): number | null {
    const rate = this.blocksPerSecond;
    return rate === 0 ? null : Math.ceil((this.#total - this.#done) / rate);
  }

  /**
   * @returns whether the first block of the branch, at least, is stored now, or might be if another run were not first.
   * @throws RuleError, WireError: the peer broke a rule; RequestFailedError; faults of our own.
   */
  async run(): Promise<boolean> {
    const { peer, chain, clock, lines, patienceMs, ports } = this.#given;
    const line = { level: 'info', kind: 'syncs', host: peer.session.remoteHost, perHost: SYNC_LINES } as const;
    const claimed = peer.tip;
    const headers = await fetchHeaders({
      peer,
      chain,
      clock,
      patienceMs,
      othersWait: () => ports.othersWaitForHeaders(),
      tooNew: (error) => ports.tooNew(peer, error),
    });
    this.#checkClaim(claimed, headers);
    const branch = headers.nodes;
    const [first, end] = [branch[0], branch.at(-1)];
    if (first === undefined || end === undefined || end.chainWork < chain.tip.chainWork || this.#stopped) return false;
    if (!ports.enterBlocks()) return true;
    this.#total = branch.length;
    this.#targetHeight = end.height;
    const isLong = branch.length >= NOTEWORTHY_BLOCKS;
    if (isLong) {
      const facts = { peer: peer.nodeId, blocks: branch.length, target: end.height };
      lines.write(line, facts, `Syncing ${branch.length} blocks to height ${end.height}`);
    }
    const result = await this.#fetchBlocks(branch, end);
    if (result !== 'complete') {
      const facts = { peer: peer.nodeId, result, blocks: this.#done };
      lines.write(line, facts, `Sync stopped after ${this.#done} blocks: ${result}`);
    } else if (isLong) {
      const seconds = Math.round(clock.monotonicMs() - this.#startedAtMs) / 1000;
      const facts = { blocks: this.#done, seconds, blocksPerSecond: this.blocksPerSecond };
      lines.write(line, facts, `Synced to height ${chain.tip.height}`);
    }
    return chain.node(first.hash) !== undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#download?.stop('stopped');
  }

  /** From all peers that have them. A slow run ends where others wait; what it has connected stays. */
  async #fetchBlocks(branch: readonly BlockNode[], end: BlockNode): Promise<DownloadResult> {
    const { chain, clock, pace, ports } = this.#given;
    const download = new BlockDownload({
      branch,
      chain,
      clock,
      pace,
      ports: {
        sources: () => this.#sources(end),
        blame: (sender, error) => ports.blame(sender, error),
        connecting: (first, last) => ports.connecting(first, last),
        progress: (count) => this.#advanced(count),
      },
    });
    this.#download = download;
    let doneBefore = 0;
    const turn = every(clock, TURN_MS, () => {
      const isSlow = this.#done - doneBefore < TURN_BLOCKS;
      doneBefore = this.#done;
      const isSource = (other: Peer): boolean => other === this.peer || other.has(end.hash);
      if (isSlow && ports.othersWait(isSource)) download.stop('turn-over');
    });
    try {
      return await download.run();
    } finally {
      turn.cancel();
    }
  }

  /**
   * The work of a peer's chain never goes down, so headers that it sends after it showed a tip carry at least as much
   * work, or it lied. Headers that go on and on without reaching the work that we already have are as bad: they may be
   * cheap ones from an old fork. What was fetched is thrown away in both cases.
   */
  #checkClaim(claimed: PeerTip, { nodes, end }: HeaderBranch): void {
    const { peer, chain, ports } = this.#given;
    const ours = chain.tip.chainWork;
    // The headers need not show what came by another way meanwhile.
    if (end === 'too-new' || ours >= claimed.chainWork || chain.node(claimed.hash) !== undefined) return;
    const shown = nodes.at(-1)?.chainWork ?? 0n;
    if (end === 'whole' && shown < claimed.chainWork) {
      const detail = `its headers show work ${shown}, it claims ${claimed.chainWork}`;
      ports.blame(peer, new WireError('unproven-work', detail));
    } else if (end === 'cut' && shown < ours) {
      const detail = `${nodes.length} headers show work ${shown}, less than our chain has`;
      ports.blame(peer, new WireError('low-work-headers', detail));
    }
  }

  /** The peer that showed the headers, then those that showed the same tip, then those that claim as much work. */
  *#sources(end: BlockNode): Iterable<Peer> {
    yield this.peer;
    const others = [...this.#given.ports.peers()].filter((peer) => peer !== this.peer);
    for (const peer of others) if (peer.has(end.hash)) yield peer;
    for (const peer of others) if (!peer.has(end.hash) && peer.tip.chainWork >= end.chainWork) yield peer;
  }

  #advanced(blocks: number): void {
    const { chain, clock, log } = this.#given;
    this.#done += blocks;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#loggedAtMs < LOG_EVERY_MS) return;
    this.#loggedAtMs = nowMs;
    const { targetHeight: target, blocksPerSecond, etaSeconds } = this;
    const facts = { height: chain.tip.height, target, blocksPerSecond, etaSeconds };
    log.info(facts, `Syncing: ${Math.floor(this.progress * 100)} %`);
  }
}
