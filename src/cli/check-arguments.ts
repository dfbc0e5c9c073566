import { readFileSync } from 'node:fs';
import { CliError, EXIT } from './exit.js';
import { printable } from './format.js';
import type { Terminal } from './terminal.js';

/** What Node.js puts in the place of bytes that are not UTF-8. */
const REPLACEMENT = '\uFFFD';
const MAX_SHOWN = 60;

/** @throws CliError (usage) when an argument was not UTF-8, because then its bytes are lost. */
export function checkArguments(argv: readonly string[], env: Terminal['env']): void {
  const damaged = argv.find((argument) => argument.includes(REPLACEMENT) && !isMeant(argument, env));
  if (damaged === undefined) return;
  const hint = 'give text in UTF-8; an entry can also come from stdin, with `minichain submit -`';
  throw new CliError(`the argument "${printable(damaged, MAX_SHOWN)}" is not UTF-8: ${hint}`, EXIT.usage);
}

/** Linux keeps the bytes. Under npm and npx they are those that npm's own Node.js has made of them. */
function isMeant(argument: string, env: Terminal['env']): boolean {
  if (env['npm_execpath'] !== undefined) return false;
  try {
    return readFileSync('/proc/self/cmdline').includes(Buffer.from(`\0${argument}\0`, 'utf8'));
  } catch {
    return false;
  }
}
