import type { Clock } from '../common/clock.js';
import { LogLimiter } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';

/** What the codes of OpenSSL and Node mean, for the operators of nodes. */
const REASONS: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/DID_NOT_RETURN_A_CERTIFICATE|CERTIFICATE_REQUIRED|certificate required/i, 'it shows no certificate'],
  [/CERT_HAS_EXPIRED|certificate (has )?expired/i, 'its certificate has expired'],
  [/CERT_NOT_YET_VALID|not yet valid/i, 'its certificate is not valid yet'],
  [
    /SELF_SIGNED|UNABLE_TO_|CERT_SIGNATURE_FAILURE|self.signed|unable to (verify|get)|unknown ca|signature failure/i,
    "its certificate is not from this network's authority",
  ],
  [/INVALID_PURPOSE|unsuitable|unsupported certificate/i, 'its certificate is not meant for this use'],
  // A client sees this if the server rejects its certificate, because the client's TLS 1.3 handshake ends before that.
  [/^Failed to connect/, 'it broke off the TLS handshake: it may not take our certificate; its log says why'],
  [/HTTP_REQUEST|WRONG_VERSION_NUMBER|wrong version|packet length/i, 'it does not speak TLS'],
];

/** Why a TLS handshake failed, for people; undefined if TLS is not the reason (nobody listens there). */
export function tlsReason(text: string): string | undefined {
  return REASONS.find(([pattern]) => pattern.test(text))?.[1];
}

/** Logs peers that TLS keeps out: at most one line a minute for each, and how many more there were. */
export class TlsRefusals {
  readonly #lines: LogLimiter;

  constructor(log: Logger, clock: Clock) {
    this.#lines = new LogLimiter(log, clock);
  }

  /** @param peer a host, or an address that was dialled. */
  tell(peer: string, reason: string, detail: string): void {
    const line = { level: 'warn', kind: 'failed TLS handshakes', host: peer, perHost: 1 } as const;
    this.#lines.write(line, { address: peer, reason, detail }, `Peer at ${peer} not accepted: ${reason}`);
  }
}
