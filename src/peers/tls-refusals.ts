import type { Clock } from '../common/clock.js';
import type { Logger } from '../common/logger.js';

const REPEAT_MS = 60_000;
const MAX_TRACKED = 1_000;

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

/** Logs peers that TLS keeps out: at most one line a minute for each. */
export class TlsRefusals {
  readonly #lastToldMs = new Map<string, number>();

  constructor(
    private readonly log: Logger,
    private readonly clock: Clock,
  ) {}

  /** @param peer a host, or an address that was dialled. */
  tell(peer: string, reason: string, detail: string): void {
    const nowMs = this.clock.monotonicMs();
    if (nowMs - (this.#lastToldMs.get(peer) ?? -Infinity) < REPEAT_MS) return;
    this.#lastToldMs.delete(peer);
    if (this.#lastToldMs.size >= MAX_TRACKED) this.#lastToldMs.delete(this.#lastToldMs.keys().next().value!);
    this.#lastToldMs.set(peer, nowMs);
    this.log.warn({ address: peer, reason, detail }, `Peer at ${peer} not accepted: ${reason}`);
  }
}
