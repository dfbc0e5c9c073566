import { X509Certificate, createPrivateKey } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { subjectName } from '../../config/tls-files.js';
import { CliError, EXIT } from '../exit.js';
import { createAuthority, issueNodeCertificate, type Issued } from './issue.js';

const DAY_MS = 86_400_000;
/** Ten years: whoever replaces the authority has to replace every certificate. */
const AUTHORITY_DAYS = 3_650;
/** Certificates hold from before now, for the clocks of other nodes may be behind. */
const BACKDATED_MS = DAY_MS;

export interface CertsRequest {
  readonly directory: string;
  readonly nodeIds: readonly string[];
  /** DNS names and IP addresses to put into every certificate, beside the node id. */
  readonly hosts: readonly string[];
  readonly days: number;
  readonly nowMs: number;
}

/** Where the files of one node are. */
export interface NodeFiles {
  readonly nodeId: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What the files of a node are called. */
export function nodeFilesIn(directory: string, nodeId: string): NodeFiles {
  const inside = (name: string): string => join(directory, name);
  return { nodeId, ca: inside('ca.crt'), cert: inside(`${nodeId}.crt`), key: inside(`${nodeId}.key`) };
}

/**
 * Writes an authority (unless the directory has one) and a certificate for each node. Never overwrites: when any of
 * the nodes has its files already, nothing is written at all.
 * @throws CliError
 */
export async function writeCerts(request: CertsRequest): Promise<NodeFiles[]> {
  const { directory, nodeIds, hosts, days, nowMs } = request;
  const ca = { cert: join(directory, 'ca.crt'), key: join(directory, 'ca.key') };
  const nodes = nodeIds.map((nodeId) => nodeFilesIn(directory, nodeId));
  const taken = nodes.flatMap(({ cert, key }) => [cert, key]).filter((path) => existsSync(path));
  if (taken.length > 0) {
    const verb = taken.length === 1 ? 'exists' : 'exist';
    throw new CliError(`${taken.join(', ')} ${verb}, and nothing is overwritten: move them away first`, EXIT.failed);
  }
  const notBefore = new Date(nowMs - BACKDATED_MS);
  const notAfter = new Date(nowMs + days * DAY_MS);
  const present = [ca.cert, ca.key].filter((path) => existsSync(path));
  if (present.length === 1) {
    throw new CliError(
      `${present[0]} is there without its other half: an authority needs ca.crt and ca.key`,
      EXIT.failed,
    );
  }
  const isNew = present.length === 0;
  const authority = isNew
    ? await createAuthority('minichain CA', {
        notBefore,
        notAfter: new Date(nowMs + Math.max(days, AUTHORITY_DAYS) * DAY_MS),
      })
    : readAuthority(ca);
  const { validToDate } = new X509Certificate(authority.cert);
  if (validToDate < notAfter) {
    const date = validToDate.toISOString().slice(0, 10);
    throw new CliError(
      `${ca.cert} itself runs out on ${date}: give fewer --days, or begin a new authority`,
      EXIT.failed,
    );
  }
  const issued = await Promise.all(
    nodeIds.map((nodeId) => issueNodeCertificate(authority, nodeId, hosts, { notBefore, notAfter })),
  );
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (isNew) writePair(ca, authority);
  for (const [index, node] of nodes.entries()) writePair(node, issued[index]!);
  return nodes;
}

function readAuthority(paths: { readonly cert: string; readonly key: string }): Issued {
  const authority = { cert: readFileSync(paths.cert, 'utf8'), key: readFileSync(paths.key, 'utf8') };
  try {
    const certificate = new X509Certificate(authority.cert);
    const isWhole = certificate.ca && certificate.checkPrivateKey(createPrivateKey(authority.key));
    if (isWhole && subjectName(certificate) !== undefined) return authority;
  } catch {
    // Said below.
  }
  throw new CliError(`${paths.cert} and ${paths.key} are not an authority's certificate and its key`, EXIT.failed);
}

/** `wx`: should somebody have been quicker, their file stays. */
function writePair(paths: { readonly cert: string; readonly key: string }, { cert, key }: Issued): void {
  writeFileSync(paths.key, key, { mode: 0o600, flag: 'wx' });
  writeFileSync(paths.cert, cert, { mode: 0o644, flag: 'wx' });
}
