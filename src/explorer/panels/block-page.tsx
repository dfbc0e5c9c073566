import type { JSX } from 'preact';
import type { StoredBlock } from '../../chain/chain-schemas.js';
import type { Block } from '../../consensus/block.js';
import { loadConsensus } from '../browser/load-consensus.js';
import { count, plural } from '../model/format.js';
import { home, HOME_URL, nodes } from '../model/network.js';
import { getBytes, getJson } from '../model/rest.js';
import { hrefOf } from '../model/route.js';
import { NodeName } from '../ui/node-badge.jsx';
import { Panel } from '../ui/panel.jsx';
import { useAnswer } from '../ui/use-answer.js';
import { Author } from './author.jsx';
import { EntryText } from './entry-text.jsx';
import { HashAgainstTarget, HeaderBytes } from './header-bytes.jsx';

interface Found {
  readonly view: StoredBlock;
  /** Decoded here, by the same code as in a node. */
  readonly block: Block;
  /** Where it was read. */
  readonly url: string;
}

const MOST_ENTRIES = 50;

/** One block: its entries, and its header byte by byte. */
export function BlockPage({ id }: { readonly id: string }): JSX.Element {
  const tip = home.value?.tip?.hash ?? '';
  const { value, error } = useAnswer(`${id} ${tip}`, () => findBlock(id));
  if (error !== undefined) return <p class="notice">{error}</p>;
  if (value === undefined) return <p class="notice">Reading block {id.slice(0, 16)}…</p>;
  const { view, block, url } = value;
  const entries = view.transactions.filter(({ kind }) => kind !== 'coinbase');
  return (
    <div class="block-page">
      <Panel title={`Block ${count(view.index)}`} url={url} class="wide" aside={<Confirmations view={view} />}>
        <dl class="facts">
          <Fact name="Mined by">
            {view.index === 0 ? 'nobody: all nodes derive it from the parameters' : <NodeName id={view.miner} />}
          </Fact>
          <Fact name="Time">
            <time>{view.timestamp.replace('T', ' ').replace('Z', ' UTC')}</time>
          </Fact>
          <Fact name="Size">{plural(view.size, 'byte')}</Fact>
          <Fact name="Parent">
            {view.index === 0 ? (
              'none'
            ) : (
              <a class="hash" href={hrefOf({ name: 'block', id: view.previousHash })}>
                {view.previousHash.slice(0, 20)}…
              </a>
            )}
          </Fact>
        </dl>
        <h3>{entries.length === 0 ? 'No entries' : plural(entries.length, 'entry', 'entries')}</h3>
        <ol class="entries">
          {entries.slice(0, MOST_ENTRIES).map((entry) => (
            <li key={entry.id}>
              <EntryText text={entry.data ?? ''} />
              <span class="links-row">
                <a href={hrefOf({ name: 'entry', id: entry.id })}>{entry.id.slice(0, 12)}…</a>
                <Author entry={entry} />
                <a href={hrefOf({ name: 'proof', id: `${view.hash}/${entry.id}` })}>Proof…</a>
                {view.confirmations > 0 && (
                  <a href={hrefOf({ name: 'past', id: `${view.index}/${entry.id}` })}>Edit the past…</a>
                )}
              </span>
            </li>
          ))}
        </ol>
        {entries.length > MOST_ENTRIES && <p class="faint">and {count(entries.length - MOST_ENTRIES)} more</p>}
      </Panel>
      <Panel
        title="Header: 80 bytes"
        url={view.confirmations > 0 ? `${HOME_URL}/headers?from=${view.index}&limit=1` : url}
        class="wide"
      >
        <HashAgainstTarget block={block} />
        <HeaderBytes block={block} />
      </Panel>
    </div>
  );
}

function Confirmations({ view: { confirmations, index } }: { readonly view: StoredBlock }): JSX.Element {
  if (index === 0) return <span class="tag">genesis</span>;
  if (confirmations === 0) return <span class="tag side">not on the active chain</span>;
  return <span class="tag">{plural(confirmations, 'confirmation')}</span>;
}

function Fact({ name, children }: { readonly name: string; readonly children: preact.ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A block of another branch may be known to another node only. */
async function findBlock(id: string): Promise<Found> {
  const urls = [
    HOME_URL,
    ...nodes.peek().flatMap(({ url, link }) => (url !== HOME_URL && link === 'live' ? [url] : [])),
  ];
  let refusal: unknown;
  for (const base of urls) {
    const url = `${base}/blocks/${encodeURIComponent(id)}`;
    try {
      const view = await getJson<StoredBlock>(url);
      const [rules, bytes] = await Promise.all([loadConsensus(), getBytes(`${base}/blocks/${view.hash}?format=raw`)]);
      return { view, url, block: rules.decodeBlock(bytes) };
    } catch (error) {
      refusal ??= error;
    }
  }
  throw refusal;
}
