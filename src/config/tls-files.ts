import { X509Certificate, createPrivateKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsSection } from './node-config.js';
import { whyUnreadable } from './wording.js';

const KEYS = ['ca', 'cert', 'key'] as const;
type TlsKey = (typeof KEYS)[number];

/** A longer text is probably a key given by mistake, which must not be shown. A P-256 key takes 184 characters. */
const MAX_PATH_CHARS = 150;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads the files of `[network.tls]` and checks that they belong together: the certificate names this node, the
 * authority issued it, the key is its own. Adds every mistake to `problems`, and never shows the content of a file.
 * @param place where a key is given, for messages; undefined when it is not.
 * @returns undefined when mTLS is off, or something is wrong.
 */
export function readTls(
  paths: Partial<Record<TlsKey, string | undefined>>,
  nodeId: string | undefined,
  place: (key: TlsKey) => string | undefined,
  problems: string[],
): TlsSection | undefined {
  const missing = KEYS.filter((key) => place(key) === undefined);
  if (missing.length === KEYS.length) return undefined;
  if (missing.length > 0) {
    const present = KEYS.find((key) => place(key) !== undefined)!;
    const verb = missing.length === 1 ? 'is' : 'are';
    problems.push(
      `${place(present)}: ca, cert and key are given together or not at all; ${missing.join(' and ')} ${verb} missing`,
    );
  }
  const read = <T>(key: TlsKey, parse: (pem: string) => T): T | undefined => {
    const path = paths[key];
    if (path === undefined) return undefined;
    if (path.includes('-----BEGIN') || path.length > MAX_PATH_CHARS) {
      problems.push(`${place(key)}: must be the path of a file, not its content`);
      return undefined;
    }
    try {
      return parse(readFileSync(path, 'utf8'));
    } catch (error) {
      const reason = error instanceof UnfitFileError ? error.message : whyUnreadable(error);
      problems.push(`${place(key)}: ${JSON.stringify(path)} ${reason}`);
      return undefined;
    }
  };
  const authorities = read('ca', readAuthorities);
  const chain = read('cert', readCertificates);
  const key = read('key', readKey);
  const own = chain?.[0];
  if (own !== undefined && nodeId !== undefined && subjectName(own) !== nodeId) {
    const name = subjectName(own) ?? 'no single name';
    problems.push(`${place('cert')}: the certificate is for ${JSON.stringify(name)}, but this node is "${nodeId}"`);
  }
  if (own !== undefined && key !== undefined && !own.checkPrivateKey(key)) {
    problems.push(`${place('key')}: is not the key of the certificate in network.tls.cert`);
  }
  if (chain !== undefined && authorities !== undefined && !isIssuedBy(chain, authorities)) {
    problems.push(`${place('cert')}: the certificate was not issued by the authority in network.tls.ca`);
  }
  if (missing.length > 0 || !authorities || !chain || !key) return undefined;
  return { ca: toPem(authorities), cert: toPem(chain), key };
}

/** The common name of a certificate's subject; undefined unless there is exactly one. */
export function subjectName(certificate: X509Certificate): string | undefined {
  const names = certificate.subject.split('\n').filter((line) => line.startsWith('CN='));
  return names.length === 1 ? names[0]!.slice('CN='.length) : undefined;
}

class UnfitFileError extends Error {}

function readCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new UnfitFileError('contains no certificate in PEM form');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    throw new UnfitFileError('contains a damaged certificate');
  }
}

function readAuthorities(pem: string): X509Certificate[] {
  const certificates = readCertificates(pem);
  if (certificates.every(({ ca }) => ca)) return certificates;
  throw new UnfitFileError("contains a certificate that is not an authority's");
}

function readKey(pem: string): KeyObject {
  if (/-----BEGIN ENCRYPTED|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    throw new UnfitFileError('is protected by a passphrase, which a node cannot type');
  }
  try {
    return createPrivateKey(pem);
  } catch {
    throw new UnfitFileError('is not a private key in PEM form');
  }
}

/** Does a chain of signatures lead from the first certificate, through others of its file, to an authority? */
function isIssuedBy(chain: readonly X509Certificate[], authorities: readonly X509Certificate[]): boolean {
  let current = chain[0]!;
  const intermediates = new Set(chain.slice(1));
  const issues = (issuer: X509Certificate): boolean => current.checkIssued(issuer) && current.verify(issuer.publicKey);
  for (;;) {
    if (authorities.some(issues)) return true;
    const next = [...intermediates].find(issues);
    if (next === undefined) return false;
    intermediates.delete(next);
    current = next;
  }
}

function toPem(certificates: readonly X509Certificate[]): string {
  return certificates.map(String).join('');
}
