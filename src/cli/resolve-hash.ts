import { isHash } from '../consensus/codec.js';
import { CliError, EXIT } from './exit.js';
import { count, plural, printable } from './format.js';
import type { NodeClient } from './node-client.js';
import { newestEntries } from './search-texts.js';

/** So far back the beginning of a hash is looked for. */
const LOOKED_THROUGH = 2_000;
/** As tables show a hash: its beginning, perhaps three dots or "…" and its end. */
const SHORTENED = /^([\da-f]{4,64})(?:(?:…|\.{2,3})([\da-f]{1,60})?)?$/;

const KINDS = {
  entry: 'an entry is named by its id (64 hex digits), or by the beginning of it',
  block: 'a block is named by a height, a block hash (64 hex digits), or the beginning of one',
} as const;

/**
 * The whole hash, from itself, from its beginning, or as tables shorten it ("00008e01…0548"). A shortened one is looked for
 * in the mempool and the newest 2,000 blocks of the active chain.
 * @throws CliError when it is none, or no hash or more than one begins like this.
 */
export async function resolveHash(client: NodeClient, given: string, kind: keyof typeof KINDS): Promise<string> {
  const text = given.toLowerCase();
  if (isHash(text)) return text;
  const [, start, end = ''] = SHORTENED.exec(text) ?? [];
  if (start === undefined) throw new CliError(`${KINDS[kind]}, got "${printable(given, 80)}"`, EXIT.usage);
  const found = new Set<string>();
  const look = (hash: string): void => {
    if (hash.startsWith(start) && hash.endsWith(end)) found.add(hash);
  };
  let blocksRead = 0;
  for await (const { entries, blocks } of newestEntries(client, LOOKED_THROUGH)) {
    if (kind === 'entry') for (const { entry } of entries) look(entry.id);
    else for (const { hash } of blocks) look(hash);
    blocksRead += blocks.length;
  }
  const [only, other] = [...found];
  if (only === undefined) {
    const where = `${kind === 'entry' ? 'the mempool and ' : ''}the newest ${plural(blocksRead, 'block')}`;
    throw new CliError(`no ${kind} in ${where} has the hash ${printable(given, 80)}: give all 64 digits`, EXIT.failed);
  }
  if (other !== undefined) {
    const hint = `${only.slice(0, 20)}… and ${other.slice(0, 20)}…`;
    throw new CliError(
      `${printable(given, 80)} fits ${count(found.size)} hashes (${hint}): give more digits`,
      EXIT.failed,
    );
  }
  return only;
}
