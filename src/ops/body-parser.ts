import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { HttpProblem } from '../common/http-problem.js';
import type { RequestTurns } from './request-turns.js';

/** Strips a byte order mark, which some shells put in front of a body. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Makes every body JSON, whatever its Content-Type says: a plain `curl -d` sends a form type, others send none or one
 * that is not even well-formed. An empty body is undefined, and left to the route to judge. A body is parsed, and what it
 * asks for begun, when it is its turn.
 */
export function useJsonBodies(adapter: FastifyAdapter, bodyLimitBytes: number, turns: RequestTurns): void {
  const instance = adapter.getInstance();
  instance.removeAllContentTypeParsers();
  instance.addHook('onRequest', (request, _reply, done) => {
    const encoding = request.headers['content-encoding'];
    // Without the header, Fastify takes the one parser below and does not judge the type.
    delete request.raw.headers['content-type'];
    if (encoding === undefined || encoding === 'identity') return done();
    done(
      new HttpProblem(415, 'unsupported-encoding', `Content-Encoding ${encoding} is not supported; send plain JSON`),
    );
  });
  adapter.useBodyParser('*', false, { bodyLimit: bodyLimitBytes }, (request: FastifyRequest, body: Buffer, done) => {
    // An unknown route is 404, whatever the body is.
    if (request.is404) return done(null);
    turns.take(() => parseInto(done, body));
  });
}

function parseInto(done: (error: Error | null, body?: unknown) => void, body: Buffer): void {
  let parsed: unknown;
  try {
    parsed = parseJson(body);
  } catch (error) {
    return done(error as Error);
  }
  done(null, parsed);
}

/** Brackets, commas and colons that a body may have: ten times as many as the largest that a route accepts. */
const MAX_STRUCTURE = 20_000;
/** Lists and objects within each other, as many as Bitcoin Core reads. What stands deeper can be parsed, and no more written. */
const MAX_DEPTH = 512;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPENING, CLOSING] = [new Set(Buffer.from('[{')), new Set(Buffer.from(']}'))];
const STRUCTURAL = new Set(Buffer.from('[{,:'));

/** @throws HttpProblem 400 `invalid-utf8` or `invalid-json`, 413 `body-too-complex`. */
export function parseJson(body: Uint8Array): unknown {
  checkStructure(body);
  const text = decode(body);
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new HttpProblem(400, 'invalid-json', `the body is not valid JSON: ${(error as Error).message}`);
  }
}

/** The parser takes a moment for a megabyte of text, and half a second for a megabyte of brackets. */
function checkStructure(body: Uint8Array): void {
  if (body.length <= MAX_DEPTH) return;
  let [structure, depth] = [0, 0];
  let isInString = false;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at]!;
    if (byte === QUOTE) isInString = !isInString;
    else if (isInString) {
      if (byte === BACKSLASH) at++;
    } else {
      if (STRUCTURAL.has(byte) && ++structure > MAX_STRUCTURE) {
        throw tooComplex(`more than ${MAX_STRUCTURE} lists, objects and items; no route takes so many`);
      }
      if (OPENING.has(byte) && ++depth > MAX_DEPTH) {
        throw tooComplex(`more than ${MAX_DEPTH} lists and objects within each other; no route takes so many`);
      }
      if (CLOSING.has(byte)) depth--;
    }
  }
}

function tooComplex(what: string): HttpProblem {
  return new HttpProblem(413, 'body-too-complex', `the body has ${what}`);
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch {
    throw new HttpProblem(400, 'invalid-utf8', 'the body is not valid UTF-8; JSON must be sent as UTF-8 (RFC 8259)');
  }
}
