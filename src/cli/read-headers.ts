import { parseHeaderFile } from '../proofs/offline/header-file.js';
import { ProofError } from '../proofs/offline/proof-error.js';
import { trustHeaders, type HeaderSource, type TrustedHeaders } from '../proofs/offline/trusted-headers.js';
import { CliError, EXIT } from './exit.js';
import { isFile, readWhole } from './files.js';
import { printable } from './format.js';
import { NodeClient } from './node-client.js';

/** Of a file with headers: three million of them as hex digits in JSON. */
export const MAX_PROOF_BYTES = 500 * 1024 * 1024;

/**
 * Reads headers from nodes and from files, as parseHeaderFile.
 * @throws CliError (usage) for what is neither; ProofError as trustHeaders.
 */
export async function readHeaders(places: readonly string[]): Promise<TrustedHeaders> {
  const sources: HeaderSource[] = [];
  for (const place of places) {
    const isUrl = /^https?:\/\//.test(place) || !isFile(place);
    sources.push(isUrl ? await fromNode(place) : fromFile(place));
  }
  return trustHeaders(sources);
}

async function fromNode(url: string): Promise<HeaderSource> {
  if (!/^https?:\/\//.test(url) && !/^[\w.-]+:\d+$|^\[[\da-f:]+\]:\d+$/i.test(url)) {
    throw new CliError(`${printable(url)} is neither a file nor the address of a node`, EXIT.usage);
  }
  return new NodeClient(url, undefined).call((api) => api.allHeaders());
}

function fromFile(path: string): HeaderSource {
  const bytes = readWhole(path, MAX_PROOF_BYTES);
  try {
    return parseHeaderFile(bytes);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new ProofError(error.check, `${printable(path)}: ${error.message}`);
  }
}
