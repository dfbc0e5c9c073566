import { Readable } from 'node:stream';
import { StreamableFile } from '@nestjs/common';
import { arrivals } from './arrivals.js';
import { Slice, Turns } from './turns.js';

const CHUNK_CHARS = 65_536;

/** All long answers share it, so that many at once do not add up in one turn of the event loop. */
export const longAnswerTurns = new Turns((task) => arrivals.defer(task));

/**
 * Answers with JSON that is made while it is sent, in bounded turns of the event loop.
 * @param pieces of the text, in order. When making one throws before the first chunk, that becomes an ordinary error answer;
 *   after it, all that is left is to break the answer off.
 */
export function answerJson(pieces: Iterable<string>): StreamableFile {
  const stream = Readable.from(inChunks(pieces), { objectMode: false });
  return new StreamableFile(stream, { type: 'application/json; charset=utf-8' });
}

/** The text of an object with these fields, and as its last a list whose items are made one by one. */
export function* textWithList(head: object, list: string, items: Iterable<Iterable<string>>): Generator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"${list}":[`;
  let separator = '';
  for (const item of items) {
    yield separator;
    yield* item;
    separator = ',';
  }
  yield ']}';
}

/** The texts of values, made one by one. */
export function* textsOf(values: Iterable<unknown>): Generator<[string]> {
  for (const value of values) yield [JSON.stringify(value)];
}

/**
 * Joins small pieces, so that not each of them costs a write. A reader that takes everything at once would otherwise keep
 * the event loop until the last piece.
 */
async function* inChunks(pieces: Iterable<string>): AsyncGenerator<Buffer> {
  const slice = new Slice();
  let chunk = '';
  for (const piece of pieces) {
    chunk += piece;
    if (slice.isOver) {
      await longAnswerTurns.next();
      slice.restart();
    }
    if (chunk.length < CHUNK_CHARS) continue;
    yield Buffer.from(chunk);
    chunk = '';
  }
  yield Buffer.from(chunk);
}
