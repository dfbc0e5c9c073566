import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Output } from '../terminal.js';

/** Copies `source` to `output` line by line, each with `prefix` before it. Resolves when the source has ended. */
export async function relayLines(source: Readable, prefix: string, output: Output): Promise<void> {
  for await (const line of createInterface({ input: source, crlfDelay: Infinity })) output.write(`${prefix}${line}\n`);
}
