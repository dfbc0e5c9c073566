import type { Readable } from 'node:stream';
import { styleText } from 'node:util';

/** Where text goes; process.stdout fits. */
export interface Output {
  write(text: string | Uint8Array): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  /** Of a file that this process has open; none in tests. */
  readonly fd?: number;
}

/** All that the command has to do with the world besides the network; the process, but in tests. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** https://no-color.org and https://force-color.org; the latter wins, as it does in Node.js itself. */
export function hasColours(output: Output, env: Terminal['env']): boolean {
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0' && env['FORCE_COLOR'] !== 'false';
  return !env['NO_COLOR'] && output.isTTY === true && env['TERM'] !== 'dumb';
}

export function colour(name: Parameters<typeof styleText>[0], text: string): string {
  return styleText(name, text, { validateStream: false });
}

/** Cells of one line: as many as the terminal has, any number where the output goes elsewhere. */
export function widthOf({ isTTY, columns }: Output): number {
  // A terminal without a known width says 0.
  return isTTY === true ? columns || 80 : Infinity;
}
