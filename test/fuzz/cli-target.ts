import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { runCli } from '../../src/cli/run-cli.js';
import type { FuzzTarget } from './fuzz.js';
import { check } from './outcome.js';

const LINES: readonly (readonly string[])[] = [
  ['status', '--json'],
  ['chain', '--from', '0', '--limit', '5', '--url', 'http://127.0.0.1:1'],
  ['block', '12', '--json'],
  ['block', 'ab'.repeat(32)],
  ['submit', 'Hello, chain', '--wait', '--token', 'secret'],
  ['peers', '--url=http://[::1]:1/x'],
  ['mempool'],
  ['mine', '3'],
  ['tx', '4a5e1e4b…a33b', '--json'],
  ['search', 'hello', '--blocks', '10'],
  ['forks', '--from', '0', '--to', '12'],
  ['completion', 'bash'],
  ['start', '--config', 'no-such-file.toml'],
  ['cluster', '--nodes', '5', '--config-dir', 'no-such-directory'],
  ['help', 'chain'],
  ['--version'],
];
const words = [...new Set(LINES.flat()), '--', '-h', '--help', '--limit=0', '--url=ftp://x', ''];
const unreachable: typeof fetch = () => Promise.reject(new TypeError('fetch failed'));

const joined = (line: readonly string[]): Buffer => Buffer.from(line.join('\0'));

/**
 * Command lines, arguments parted by NUL. No node is reachable, and the environment is one that no node starts with, so
 * nothing is done but reading what was written.
 */
export function cliTarget(): FuzzTarget {
  const actualFetch = globalThis.fetch;
  globalThis.fetch = unreachable;
  return {
    seeds: LINES.map(joined),
    tokens: words.map((word) => Buffer.from(`\0${word}\0`)),
    structured: fc
      .array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary' })), { maxLength: 6 })
      .map(joined),
    run: async (input) => {
      let written = '';
      const output = { write: (text: string) => void (written += text) };
      const terminal = {
        env: { MINICHAIN_NO_SUCH_SETTING: '1' },
        stdin: Readable.from([]),
        stdout: output,
        stderr: output,
      };
      const code = await runCli(input.toString('utf8').split('\0'), terminal);
      check([0, 1, 2, 3].includes(code), `exit code ${code}`);
      check(code === 0 || /^(minichain|Usage): /.test(written), `no word of why: ${written}`);
      check(!/\n\s+at /.test(written), `a stack trace: ${written}`);
      return code === 0 || code === 3 ? 'accepted' : 'rejected';
    },
    close: () => {
      globalThis.fetch = actualFetch;
    },
  };
}
