import type { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import type { Peer } from './peer.js';

/**
 * Notices when our clock and those of our peers differ by more than the rules allow. Nobody is blamed for that, because
 * a node cannot know whose clock is wrong. If most peers disagree with it, it warns its operator once, not at each block.
 */
export class ClockWatch {
  /** Peers whose blocks lie in our future; how far, in seconds. */
  readonly #ahead = new Map<Peer, number>();
  /** Peers that have refused our blocks for that reason. */
  readonly #behind = new Set<Peer>();
  #told: 'ahead' | 'behind' | undefined;

  constructor(
    private readonly log: Logger,
    private readonly lines: LogLimiter,
    private readonly peers: () => Iterable<Peer>,
  ) {}

  /** A block or header of the peer is too new for our clock: its time is `secondsAhead` of ours. */
  tooNew(peer: Peer, secondsAhead: number): void {
    if (!this.#ahead.has(peer)) {
      const facts = { peer: peer.nodeId, secondsAhead };
      this.lines.write(
        { level: 'info', kind: 'clocks that are ahead of ours', host: peer.session.remoteHost },
        facts,
        `Blocks of ${peer.nodeId} are ${secondsAhead} s ahead of our clock; they are accepted when their time comes`,
      );
    }
    this.#ahead.set(peer, secondsAhead);
    this.#judge();
  }

  /** The peer has refused a block of ours as too new. */
  refusedAsTooNew(peer: Peer): void {
    this.#behind.add(peer);
    this.#judge();
  }

  /** A new block went from one of us to the other and was accepted. */
  agreed(peer: Peer): void {
    if (this.#ahead.delete(peer) || this.#behind.delete(peer)) this.#judge();
  }

  #judge(): void {
    const present = [...this.peers()];
    for (const known of [this.#ahead, this.#behind]) {
      for (const peer of known.keys()) if (peer.session.isClosed) known.delete(peer);
    }
    const [ahead, behind] = [this.#ahead.size, this.#behind.size];
    // If they are ahead of us, we are behind them.
    const state = ahead * 2 > present.length ? 'behind' : behind * 2 > present.length ? 'ahead' : undefined;
    if (state === this.#told) return;
    this.#told = state;
    if (state === undefined) {
      this.log.info('Our clock agrees with those of our peers again');
      return;
    }
    const facts = { peers: state === 'behind' ? ahead : behind, connected: present.length };
    const advice = 'check date, time and time zone of this machine';
    if (state === 'ahead') {
      this.log.warn(
        facts,
        `The clock of this node seems to be ahead of its peers', which refuse its blocks: ${advice}`,
      );
    } else {
      const secondsBehind = Math.max(...this.#ahead.values());
      const what = "The clock of this node seems to be behind its peers', whose blocks it refuses as too new";
      this.log.warn({ ...facts, secondsBehind }, `${what}: ${advice}`);
    }
  }
}
