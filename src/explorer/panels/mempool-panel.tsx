import type { JSX } from 'preact';
import { count, plural } from '../model/format.js';
import { home, HOME_URL } from '../model/network.js';
import { excerpt } from '../model/printable.js';
import { hrefOf } from '../model/route.js';
import { Panel } from '../ui/panel.jsx';
import { Author } from './author.jsx';

const MOST_SHOWN = 6;
const MOST_TEXT = 44;

/** What waits to be mined, in the order in which the next block takes it. */
export function MempoolPanel(): JSX.Element {
  const { mempool, tip } = home.value ?? {};
  const waiting = mempool?.transactions ?? 0;
  const entries = mempool?.entries ?? [];
  return (
    <Panel title="Mempool" url={`${HOME_URL}/mempool`} aside={<span class="figure">{count(waiting)}</span>}>
      <div class="next">
        <p class="next-title">Next block: {count((tip?.height ?? 0) + 1)}</p>
        {waiting === 0 ? (
          <p class="faint">Nothing waits. Entries stay here until a node mines them.</p>
        ) : (
          <ol class="entries">
            {entries.slice(0, MOST_SHOWN).map((entry) => (
              <li key={entry.id}>
                <a href={hrefOf({ name: 'entry', id: entry.id })}>
                  <bdi>{excerpt(entry.data ?? '', MOST_TEXT)}</bdi>
                </a>
                <Author entry={entry} />
              </li>
            ))}
          </ol>
        )}
        {waiting > MOST_SHOWN && <p class="faint">and {plural(waiting - MOST_SHOWN, 'more entry', 'more entries')}</p>}
      </div>
    </Panel>
  );
}
