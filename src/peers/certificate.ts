import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { isNodeId } from '../config/node-id.js';

const EXPIRY_NOTICE_DAYS = 30;
const DAY_MS = 86_400_000;

/**
 * The node id in a certificate whose chain is verified: the common name of its subject.
 * Undefined if there is no common name, more than one, or one that is no node id.
 */
export function certifiedNodeId(certificate: PeerCertificate | undefined): string | undefined {
  // Node makes a list of several common names, which @types/node does not know.
  const name: unknown = certificate?.subject?.CN;
  return typeof name === 'string' && isNodeId(name) ? name : undefined;
}

/** A warning about a certificate that has expired or soon will; undefined while there is time. */
export function expiryWarning(pem: string, nowMs: number): string | undefined {
  const { validFromDate, validToDate } = new X509Certificate(pem);
  const date = validToDate.toISOString().slice(0, 10);
  if (nowMs > validToDate.getTime()) return `our certificate ran out on ${date}: other nodes refuse us`;
  if (nowMs < validFromDate.getTime())
    return 'our certificate is not valid yet by this clock: other nodes may refuse us';
  const days = Math.floor((validToDate.getTime() - nowMs) / DAY_MS);
  return days < EXPIRY_NOTICE_DAYS ? `our certificate runs out on ${date}, in ${days} days` : undefined;
}
