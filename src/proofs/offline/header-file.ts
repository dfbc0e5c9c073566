import { HEADER_BYTES } from '../../consensus/header.js';
import { parseJsonProof } from './json-proof.js';
import { ProofError } from './proof-error.js';
import type { HeaderSource } from './trusted-headers.js';

const [OPENING_BRACE, HEADER_DIGITS] = [0x7b, HEADER_BYTES * 2];
const WANTED = 'a page of GET /headers, a proof as JSON, or headers of 80 bytes from the genesis on';

/**
 * Reads a file with headers: a page of GET /headers, a proof as JSON, or headers from the genesis on, as bytes or as hex digits.
 * @throws ProofError `format`, `rules`.
 */
export function parseHeaderFile(file: Uint8Array): HeaderSource {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  if (bytes[0] === OPENING_BRACE) return fromJson(bytes.toString('utf8'));
  const isText = /^[0-9a-f\s]+$/i.test(bytes.subarray(0, 1_024).toString('latin1'));
  const raw = isText ? fromDigits(bytes.toString('latin1').replace(/\s+/g, '')) : bytes;
  if (raw === undefined || raw.length === 0 || raw.length % HEADER_BYTES !== 0) {
    throw new ProofError('format', `it has no whole headers: expected ${WANTED}`);
  }
  const count = raw.length / HEADER_BYTES;
  const headers = Array.from({ length: count }, (_, at) => raw.subarray(at * HEADER_BYTES, (at + 1) * HEADER_BYTES));
  return { from: 0, headers, network: undefined };
}

function fromJson(text: string): HeaderSource {
  let page: { readonly proof?: unknown; readonly from?: unknown; readonly headers?: unknown };
  try {
    page = JSON.parse(text) as typeof page;
  } catch (error) {
    throw new ProofError('format', `it is not whole JSON: ${(error as Error).message}`);
  }
  if (page.proof !== undefined) {
    const { anchor, headers, network } = parseJsonProof(text);
    return { from: anchor.height + 1, headers: headers.map((hex) => Buffer.from(hex, 'hex')), network };
  }
  const { from, headers } = page;
  if (!Number.isSafeInteger(from) || (from as number) < 0 || !Array.isArray(headers)) {
    throw new ProofError('format', 'it is neither a page of GET /headers nor a proof');
  }
  return { from: from as number, headers: headers.map(headerOf), network: undefined };
}

function headerOf(hex: unknown, at: number): Buffer {
  const header = typeof hex === 'string' && hex.length === HEADER_DIGITS ? fromDigits(hex) : undefined;
  if (header !== undefined) return header;
  throw new ProofError('format', `headers[${at}] must be ${HEADER_BYTES} bytes as hex digits`);
}

/** Buffer leaves out what stands behind the first other character, and half a byte, and says nothing. */
function fromDigits(hex: string): Buffer | undefined {
  return hex.length % 2 === 0 && /^[0-9a-f]*$/i.test(hex) ? Buffer.from(hex, 'hex') : undefined;
}
