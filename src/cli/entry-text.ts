import type { Readable } from 'node:stream';
import { CliError, EXIT } from './exit.js';
import { readBounded } from './files.js';

/** No node takes more; a wrong pipe is noticed before it fills the memory. */
const MAX_INPUT_BYTES = 16_777_216;

/** For help texts: what an entry on the command line is. */
export const DATA_HELP = 'the entry, 1 to 16,384 bytes of UTF-8; - reads it from stdin, without its last line break';
export const FILE_HELP = 'take the entry from this file, every byte of it';

/**
 * The text of an entry, from the command line, stdin or a file.
 * @throws CliError (usage) when there is none or more than one, or it is not UTF-8.
 */
export async function entryText(data: string | undefined, file: string | undefined, stdin: Readable): Promise<string> {
  if ((data === undefined) === (file === undefined)) {
    throw new CliError('give the entry either as an argument (- for stdin) or with --file', EXIT.usage);
  }
  if (file !== undefined) return decode(readBounded(file, MAX_INPUT_BYTES, 'the entry'), file);
  return data === '-' ? decode(await readAll(stdin), 'stdin').replace(/\r?\n$/, '') : data!;
}

async function readAll(stdin: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    chunks.push(Buffer.from(chunk));
    length += chunks.at(-1)!.length;
    if (length > MAX_INPUT_BYTES) throw new CliError('stdin is too long for an entry (16,384 bytes)', EXIT.usage);
  }
  return Buffer.concat(chunks);
}

function decode(bytes: Buffer, source: string): string {
  try {
    // The BOM is part of the entry, too.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CliError(`${source} is not UTF-8 text: encode it first, for example with \`base64 -w0\``, EXIT.usage);
  }
}
