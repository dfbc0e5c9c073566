import type { Clock } from '../common/clock.js';
import { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import { RuleError } from '../consensus/rule-error.js';
import type { Discovery } from './discovery.js';
import type { EntryGossip } from './entry-gossip.js';
import { WireError } from './messages.js';
import type { Peer } from './peer.js';
import { RequestFailedError } from './session.js';

const RETRY_MS = 20_000;

export interface FirstExchangeInit {
  readonly discovery: Discovery;
  readonly entries: EntryGossip;
  readonly clock: Clock;
  readonly log: Logger;
  readonly blame: (peer: Peer, error: RuleError | WireError) => void;
}

/** What a node asks each new peer for: the nodes that the peer knows, and its pending entries. */
export class FirstExchange {
  readonly #given: FirstExchangeInit;
  readonly #lines: LogLimiter;

  constructor(given: FirstExchangeInit) {
    this.#given = given;
    this.#lines = new LogLimiter(given.log, given.clock);
  }

  begin(peer: Peer): void {
    this.#given.discovery.introduce(peer).catch((error: unknown) => this.#failed(peer, error));
    this.#fetchMempool(peer);
  }

  #fetchMempool(peer: Peer): void {
    const { clock, entries } = this.#given;
    entries.fetchMempool(peer).catch((error: unknown) => {
      this.#failed(peer, error);
      // The peer will not announce again what it holds now, so a busy peer is asked once more.
      if (error instanceof RequestFailedError && error.reason === 'timeout') {
        clock.after(RETRY_MS, () => this.#fetchMempool(peer));
      }
    });
  }

  #failed(peer: Peer, error: unknown): void {
    const { blame, log } = this.#given;
    const { nodeId } = peer;
    if (error instanceof RuleError || error instanceof WireError) blame(peer, error);
    else if (error instanceof RequestFailedError) {
      log.debug({ peer: nodeId, reason: error.message }, `First exchange with ${nodeId} stopped: ${error.message}`);
    } else {
      const line = { level: 'error', kind: 'failed first exchanges', host: peer.session.remoteHost } as const;
      this.#lines.write(line, { err: error, peer: nodeId }, `First exchange with ${nodeId} failed on our side`);
    }
  }
}
