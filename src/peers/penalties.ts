import type { LogLimiter } from '../common/log-limiter.js';
import type { RuleError } from '../consensus/rule-error.js';
import { WireError, type Body, type MessageKind } from './messages.js';
import type { Peer } from './peer.js';
import type { RateDecision } from './rate-limits.js';
import { PENALTIES, type Scoring } from './scoring.js';
import type { Session } from './session.js';

/** What metrics hear of penalties and limits. */
export interface PenaltyMeter {
  penalised(code: string, banned: boolean): void;
  /** A message above the peer's limits was ignored. */
  dropped(kind: MessageKind): void;
}

export interface PenaltiesInit {
  readonly scoring: Scoring;
  readonly lines: LogLimiter;
  readonly meter: PenaltyMeter;
}

/** Turns misbehaviour into scores, and ends the sessions of peers that are banned or send too much. */
export class Penalties {
  readonly #scoring: Scoring;
  readonly #lines: LogLimiter;
  readonly #meter: PenaltyMeter;

  constructor({ scoring, lines, meter }: PenaltiesInit) {
    this.#scoring = scoring;
    this.#lines = lines;
    this.#meter = meter;
  }

  /** The peer broke a rule: score it, and end the session if that makes a ban. */
  blame(peer: Peer, error: RuleError | WireError): void {
    this.penalise(peer.session, peer, error);
  }

  /** As `blame`; a session whose peer has not proved its key (`peer` undefined) ends at its first broken rule. */
  penalise(session: Session, peer: Peer | undefined, { code, message }: RuleError | WireError): void {
    // Our clock or our checkpoints may be wrong; whoever compares them reports it.
    if (PENALTIES[code] === 0) return;
    const banned = this.#scoring.penalise(peer?.key, session.remoteHost, code);
    this.#meter.penalised(code, banned);
    const host = session.remoteHost;
    const facts = { peer: peer?.nodeId, host, code, detail: message, banned };
    const line = { level: 'warn', kind: banned ? 'banned peers' : 'misbehaving peers', host } as const;
    this.#lines.write(line, facts, `Peer ${peer?.nodeId ?? host} misbehaved: ${code}`);
    if (banned || peer === undefined) session.close(banned ? `banned: ${code}` : code);
  }

  /** Counts a message against the limits of the peer; false: it must not be handled. */
  acceptMessage(peer: Peer, body: Body | undefined, bytes: number): boolean {
    peer.reading.received(bytes);
    return this.#enforce(peer, peer.limits.judge(body), body?.$case ?? 'unknown');
  }

  /** Counts a block that the peer announces again; false: nothing more is to be done for it. */
  acceptRepeat(peer: Peer, bytes: number): boolean {
    return this.#enforce(peer, peer.limits.judgeRepeat(bytes), 'newBlock');
  }

  #enforce(peer: Peer, decision: RateDecision, kind: MessageKind): boolean {
    if (decision === 'pass') return true;
    this.#meter.dropped(kind);
    if (decision === 'blame') this.blame(peer, new WireError('too-many-messages', `too many messages: ${kind}`));
    else if (decision === 'flood') peer.session.close(`flood of ${kind}`);
    return false;
  }
}
