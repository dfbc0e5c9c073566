import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { LIMITS } from './wire.js';

const EXPIRY_NOTICE_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * The node that a certificate, whose chain is verified, is made out to: the common name of its subject.
 * Undefined where it has none, several, or one that is no node id.
 */
export function certifiedNodeId(certificate: PeerCertificate | undefined): string | undefined {
  // Of several common names Node makes a list, which @types/node knows nothing of.
  const name: unknown = certificate?.subject?.CN;
  if (typeof name !== 'string' || name.length > LIMITS.nodeIdBytes) return undefined;
  return /^[A-Za-z0-9._-]+$/.test(name) ? name : undefined;
}

/** What to tell of a certificate that has run out, or soon will; undefined while there is time. */
export function expiryWarning(pem: string, nowMs: number): string | undefined {
  const { validFromDate, validToDate } = new X509Certificate(pem);
  const date = validToDate.toISOString().slice(0, 10);
  if (nowMs > validToDate.getTime()) return `our certificate ran out on ${date}: other nodes refuse us`;
  if (nowMs < validFromDate.getTime())
    return 'our certificate is not valid yet by this clock: other nodes may refuse us';
  const days = Math.floor((validToDate.getTime() - nowMs) / DAY_MS);
  return days < EXPIRY_NOTICE_DAYS ? `our certificate runs out on ${date}, in ${days} days` : undefined;
}
