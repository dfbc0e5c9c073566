import type { ChainService } from '../chain/chain.service.js';
import { every, type Clock } from '../common/clock.js';
import { WireError, type Body, type BodyOf } from './messages.js';
import type { Peer } from './peer.js';
import { decodeTip, encodeTip } from './wire.js';

const PROBE_MS = 2_000;
/** A process with a peer's key that dials again and again must not be able to make us flood that peer with pings. */
const PROBE_EVERY_MS = 1_000;
const MISSED_HEARTBEATS = 3;

/** What a heartbeat reports. */
export interface HeartbeatEvents {
  /** A message of the peer showed its tip. */
  sawTip(peer: Peer): void;
  /** The peer's answer broke a rule. */
  blame(peer: Peer, error: WireError): void;
}

/** Pings that show whether a peer is still there, its latency and its tip. */
export class Heartbeat {
  constructor(
    private readonly periodMs: number,
    private readonly chain: ChainService,
    private readonly clock: Clock,
    private readonly events: HeartbeatEvents,
  ) {}

  /** Pings the peer as long as its session lasts, and ends the session when it does not answer. */
  keep(peer: Peer): void {
    let missed = 0;
    const timer = every(this.clock, this.periodMs, () => {
      if (peer.session.isClosed) return timer.cancel();
      this.#ping(peer, this.periodMs).then(
        () => (missed = 0),
        (error: unknown) => {
          if (error instanceof WireError) return this.events.blame(peer, error);
          missed += 1;
          if (missed >= MISSED_HEARTBEATS) peer.session.close(`${missed} heartbeats missed`);
        },
      );
    });
  }

  /**
   * The peer's session may be dead without our knowing: the peer has to answer now, otherwise the session ends.
   * @param reason why it ends then.
   * @param answered called when it does; not if it was asked a moment ago.
   */
  probe(peer: Peer, reason: string, answered: () => void = () => {}): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - (peer.probedAtMs ?? -Infinity) < PROBE_EVERY_MS) return;
    peer.probedAtMs = nowMs;
    this.#ping(peer, PROBE_MS).then(answered, () => peer.session.close(reason));
  }

  /** Answers a ping of the peer. */
  answer(peer: Peer, { tip }: BodyOf<'ping'>): Body {
    this.#heard(peer, tip);
    return { $case: 'pong', value: { tip: encodeTip(this.chain.tip) } };
  }

  async #ping(peer: Peer, timeoutMs: number): Promise<void> {
    const sentAtMs = this.clock.monotonicMs();
    const ping = { tip: encodeTip(this.chain.tip) };
    const pong = await peer.session.request({ $case: 'ping', value: ping }, 'pong', timeoutMs);
    peer.latencyMs = this.clock.monotonicMs() - sentAtMs;
    this.#heard(peer, pong.tip);
  }

  #heard(peer: Peer, tip: BodyOf<'pong'>['tip']): void {
    peer.lastSeenMs = this.clock.nowMs();
    peer.sawTip(decodeTip(tip));
    this.events.sawTip(peer);
  }
}
