import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { LogLimiter } from '../common/log-limiter.js';
import { operationOf } from '../common/operation.js';
import { longAnswerTurns } from '../common/write-json.js';
import { clientOf } from '../config/client-address.js';
import type { LongAnswer, LongAnswers } from './long-answers.js';

/** An answer up to this length is not long: it fits into what systems buffer for a connection, and costs a client a connection. */
const SHORT_BYTES = 65_536;
/** As an answer is given to the socket. */
const CHUNK_BYTES = 65_536;

/**
 * Sends each answer as fast as its reader takes it. One that is longer than 64 KiB needs a place among the long answers
 * (503 without), and loses it with its connection.
 */
export function sendInStreams(instance: FastifyInstance, answers: LongAnswers): void {
  instance.addHook('onSend', (request, reply, payload, done) => {
    if (request.method === 'HEAD' || isExempt(request)) return done(null, payload);
    if (payload instanceof Readable) {
      return done(null, Readable.from(placed(begun(payload, request, answers), request, answers)));
    }
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    if (!Buffer.isBuffer(bytes) || bytes.length <= SHORT_BYTES) return done(null, payload);
    void reply.header('Content-Length', bytes.length);
    done(null, Readable.from(placed(inPieces(bytes), request, answers)));
  });
}

/** Metrics have to come through whoever reads what. Files of /docs are read from disk in small pieces, so they cost little. */
function isExempt(request: FastifyRequest): boolean {
  return operationOf(request)?.isRateLimited === false || request.routeOptions.url?.startsWith('/docs/') === true;
}

/** Waits for its turn, since making the first chunk may mean to read a block, and does not begin where there is no room. */
async function* begun(source: Readable, request: FastifyRequest, answers: LongAnswers): AsyncGenerator<Buffer> {
  await longAnswerTurns.next();
  answers.requireRoom(clientOf(request.ip));
  yield* source as AsyncIterable<Buffer>;
}

/** Holds the beginning back until it is known whether the answer is long: what was sent cannot become a 503 any more. */
async function* placed(
  source: AsyncIterable<Buffer> | Iterable<Buffer>,
  request: FastifyRequest,
  answers: LongAnswers,
): AsyncGenerator<Buffer> {
  const beginning: Buffer[] = [];
  let heldBytes = 0;
  let answer: LongAnswer | undefined;
  try {
    for await (const chunk of source) {
      if (answer !== undefined) {
        yield* offer(answer, chunk);
        continue;
      }
      beginning.push(chunk);
      heldBytes += chunk.length;
      if (heldBytes <= SHORT_BYTES) continue;
      answer = answers.open(clientOf(request.ip), () => request.raw.socket.destroy());
      for (const held of beginning.splice(0)) yield* offer(answer, held);
    }
    yield* beginning;
  } finally {
    answer?.close();
  }
}

function* offer(answer: LongAnswer, chunk: Buffer): Generator<Buffer> {
  answer.offered();
  yield chunk;
  answer.taken(chunk.length);
}

function* inPieces(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) yield bytes.subarray(start, start + CHUNK_BYTES);
}

/** Logs answers that had to be broken off because the rest of them could not be made. */
export function logBrokenAnswers(instance: FastifyInstance, log: LogLimiter): void {
  instance.addHook('onSend', (request, reply, payload, done) => {
    if (!(payload instanceof Readable)) return done(null, payload);
    payload.on('error', (error) => {
      // Until then it is an ordinary error, which becomes an ordinary answer.
      if (!reply.raw.headersSent || request.raw.socket.destroyed) return;
      const route = `${request.method} ${request.routeOptions.url}`;
      log.write(
        { level: 'error', kind: 'answers broken off', host: clientOf(request.ip) },
        { err: error },
        `${route} broken off`,
      );
    });
    done(null, payload);
  });
}
