import type { HeaderPage } from '../chain/chain-schemas.js';
import { HEADER_BYTES } from '../consensus/header.js';
import { parseJsonProof } from '../proofs/offline/json-proof.js';
import { ProofError } from '../proofs/offline/proof-error.js';
import { trustHeaders, type HeaderSource, type TrustedHeaders } from '../proofs/offline/trusted-headers.js';
import { CliError, EXIT } from './exit.js';
import { isFile, readWhole } from './files.js';
import { printable } from './format.js';
import { NodeClient } from './node-client.js';

/** Of a file with headers: three million of them as hex digits in JSON. */
export const MAX_PROOF_BYTES = 500 * 1024 * 1024;

/**
 * Reads headers from files and from nodes: a page of GET /headers, a proof as JSON, or headers from the genesis on, as bytes
 * or as hex digits. @throws CliError (usage) for what is none of that; ProofError as trustHeaders.
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
  if (bytes[0] === 0x7b) return fromJson(bytes.toString('utf8'), path);
  const hex = /^[0-9a-f\s]+$/i.test(bytes.subarray(0, 1_024).toString('latin1')) ? bytes.toString('latin1') : undefined;
  const raw = hex === undefined ? bytes : bytesOf(hex.replace(/\s+/g, ''));
  if (raw.length === 0 || raw.length % HEADER_BYTES !== 0) {
    const wanted = 'a page of GET /headers, a proof as JSON, or headers of 80 bytes from the genesis on';
    throw new ProofError('format', `${printable(path)} has no whole headers: expected ${wanted}`);
  }
  const count = raw.length / HEADER_BYTES;
  const headers = Array.from({ length: count }, (_, at) => raw.subarray(at * HEADER_BYTES, (at + 1) * HEADER_BYTES));
  return { from: 0, headers, network: undefined };
}

function fromJson(text: string, path: string): HeaderSource {
  let page: Partial<HeaderPage & { readonly proof: unknown }>;
  try {
    page = JSON.parse(text) as typeof page;
  } catch (error) {
    throw new ProofError('format', `${printable(path)} is not whole JSON: ${(error as Error).message}`);
  }
  if (page.proof !== undefined) {
    const { anchor, headers, network } = parseJsonProof(text);
    return { from: anchor.height + 1, headers: headers.map(bytesOf), network };
  }
  const { from, headers } = page;
  const isPage =
    Number.isSafeInteger(from) && Array.isArray(headers) && headers.every((each) => typeof each === 'string');
  if (!isPage) throw new ProofError('format', `${printable(path)} is neither a page of GET /headers nor a proof`);
  return { from: from!, headers: headers.map(bytesOf), network: undefined };
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
