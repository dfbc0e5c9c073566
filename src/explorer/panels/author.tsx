import type { JSX } from 'preact';
import type { TransactionView } from '../../chain/chain-schemas.js';

const SHORT = 18;

/** Who signed an entry, as `ssh-keygen -l` names a key; nothing for an entry that nobody signed. */
export function Author({ entry: { author } }: { readonly entry: TransactionView }): JSX.Element | null {
  if (author === undefined) return null;
  return (
    <span class="author" title={`Signed by the key ${author}`}>
      signed by <code>{author.slice(0, SHORT)}…</code>
    </span>
  );
}
