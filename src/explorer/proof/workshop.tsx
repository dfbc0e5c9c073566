import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { JsonProof } from '../../proofs/offline/json-proof.js';
import { count, list } from '../model/format.js';
import { hrefOf } from '../model/route.js';
import { EntryText } from '../panels/entry-text.jsx';
import { nextForgery, type Forgery } from './forgery.js';
import { HeadersList } from './headers-list.jsx';
import { HexField, SegmentNames } from './hex-field.jsx';
import { pathOf } from './merkle-path.js';
import { PathPicture } from './path-picture.jsx';
import {
  changeAnyByte,
  changesOf,
  entrySegments,
  readTransaction,
  withHex,
  type Change,
  type Part,
} from './proof-bytes.js';
import { judgeJson, type Verdict } from './verdict.js';
import { VerdictCard } from './verdict-card.jsx';

const MOST_NAMED = 3;

interface WorkshopProps {
  readonly before: JsonProof;
  /** Of the proof as it was at first. */
  readonly first: Verdict;
  /** Whether the entry is in the chain of this node, which the page can rewrite. */
  readonly mayRewrite: boolean;
}

interface State {
  readonly proof: JsonProof;
  /** Names this state among all that there were. */
  readonly number: number;
}

/** A proof as JSON, laid out for its bytes to be changed. */
export function Workshop({ before, first, mayRewrite }: WorkshopProps): JSX.Element {
  const [states, setStates] = useState<readonly State[]>([{ proof: before, number: 0 }]);
  const made = useRef(0);
  const undo = useRef<HTMLButtonElement>(null);
  const { proof, number } = states.at(-1)!;
  const [{ verdict, of }, setJudged] = useState({ verdict: first, of: 0 });
  const [error, setError] = useState('');
  useEffect(() => {
    if (of === number) return undefined;
    // A proof with all headers of a long chain takes a while, and the reader may change another byte meanwhile.
    const running = new AbortController();
    const { signal } = running;
    void (number === 0 ? Promise.resolve(first) : judgeJson(proof, signal)).then(
      (judged) => !signal.aborted && setJudged({ verdict: judged, of: number }),
      (failure: Error) => !signal.aborted && setError(failure.message),
    );
    return () => running.abort();
  }, [number, of]);
  const path = pathOf(proof);
  const pathBefore = useMemo(() => pathOf(before), [before]);
  const changes = changesOf(proof, before);
  const forgery = changes.length === 0 ? undefined : nextForgery(proof, path);
  const isChanged = states.length > 1;
  // Bytes that are no entry cannot be hidden by other hashes.
  const hidden = forgery === undefined && changes.length > 0 && !verdict.holds && verdict.check;
  const isStale = of !== number;
  const shortVerdict = verdict.holds ? '✓ the proof holds' : `✗ ${verdict.check}`;
  const shortClass = `short-verdict ${isStale ? '' : verdict.holds ? 'good' : 'bad'}`;

  const go = (to: JsonProof): void => {
    made.current += 1;
    setStates([...states, { proof: to, number: made.current }]);
  };
  const hide = ({ proof: forged }: Forgery): void => {
    go(forged);
    // The last such button goes away, and the focus of the keyboard would be lost with it.
    if (nextForgery(forged, pathOf(forged)) === undefined) undo.current?.focus();
  };
  const change = (part: Part, hex: string): void => go(withHex(proof, part, hex));
  const transaction: Part = { name: 'transaction', at: 0 };
  const id: Part = { name: 'id', at: 0 };
  const segments = entrySegments(before.transaction);
  const read = readTransaction(proof.transaction);

  return (
    <div class="workshop">
      <VerdictCard verdict={verdict} changes={changesInWords(changes, before)} isStale={isStale} />
      <h3>Change a byte, and see which check finds it</h3>
      <p class="faint">
        Click a digit below, or move to one with the arrow keys and type another. Nothing is sent: this is a copy in
        your browser.
      </p>
      <div class="row tools">
        <button type="button" onClick={() => go(changeAnyByte(proof, Math.random))}>
          Change a byte at random
        </button>
        <button
          ref={undo}
          type="button"
          aria-disabled={!isChanged}
          onClick={() => isChanged && setStates(states.slice(0, -1))}
        >
          Undo
        </button>
        <button type="button" aria-disabled={!isChanged} onClick={() => setStates(states.slice(0, 1))}>
          Undo all
        </button>
        {forgery !== undefined && (
          <button type="button" class="primary" onClick={() => hide(forgery)}>
            {forgery.label}
          </button>
        )}
      </div>
      {error !== '' && <p class="error">{error}</p>}
      {hidden === 'signature' && (
        <p class="faint">
          The entry, its siblings and the header fit together again, but the signature does not. Only the owner of the
          key can make another one.
        </p>
      )}
      {hidden !== false && hidden !== 'signature' && hidden !== 'transaction' && (
        <p class="faint">
          The entry, its siblings and the header fit together again. What is still missing is the work: this block and
          all blocks on it have to be mined again.
          {mayRewrite && (
            <>
              {' '}
              <a href={hrefOf({ name: 'past', id: `${before.block_height}/${before.id}` })}>Edit the past</a> shows what
              that costs.
            </>
          )}
        </p>
      )}
      <div class="bench">
        <figure>
          <p class={shortClass} aria-hidden="true">
            {isStale ? 'Checking…' : shortVerdict}
          </p>
          <PathPicture proof={proof} path={path} verdict={verdict} before={pathBefore} />
          <figcaption class="faint">
            Two hashes side by side are hashed together, the left one first. The dashed ones are in the proof; the
            others are computed from those below.
          </figcaption>
        </figure>
        <div class="fields">
          <h4>
            The entry <span class="faint">{count(proof.transaction.length / 2)} bytes</span>
          </h4>
          <SegmentNames segments={segments} />
          <HexField
            name="The bytes of the entry"
            hex={proof.transaction}
            before={before.transaction}
            segments={segments}
            onChange={(hex) => change(transaction, hex)}
          />
          <div class="reads">
            {read === undefined || read.kind === 'coinbase' ? (
              <p class="bad">These bytes are no entry.</p>
            ) : (
              <EntryText text={read.data} />
            )}
          </div>
          <h4>
            Its id <span class="faint">the hash of these bytes: SHA-256, twice</span>
          </h4>
          <HexField name="The id" hex={proof.id} before={before.id} onChange={(hex) => change(id, hex)} />
          <h4>
            Its siblings{' '}
            <span class="faint">
              transaction {count(proof.pos + 1)} of its block; these hashes stand for all others
            </span>
          </h4>
          <ol class="siblings">
            {proof.merkle.map((hash, at) => (
              <li key={at}>
                <span class="faint">
                  sibling {at + 1}, {path.pairs[at]?.isOwnRight === true ? 'left' : 'right'}
                </span>
                <HexField
                  name={`Sibling ${at + 1}`}
                  hex={hash}
                  before={before.merkle[at]!}
                  onChange={(hex) => change({ name: 'merkle', at }, hex)}
                />
              </li>
            ))}
          </ol>
          <h4>
            The headers <span class="faint">each has the hash of the one before it, and the proof of work</span>
          </h4>
          <HeadersList
            proof={proof}
            before={before}
            verdict={verdict}
            onChange={(at, hex) => change({ name: 'headers', at }, hex)}
          />
        </div>
      </div>
      <p class={`${shortClass} below`} aria-hidden="true">
        {isStale ? 'Checking…' : shortVerdict}
      </p>
    </div>
  );
}

/** "byte 12 of the entry and bytes 36 to 67 of header 812" */
function changesInWords(changes: readonly Change[], { anchor }: JsonProof): string {
  const named = changes.slice(0, MOST_NAMED).map(({ part, bytes }) => {
    const { name, at } = part;
    const what = { transaction: 'the entry', id: 'the id', merkle: `sibling ${at + 1}`, headers: '' }[name];
    const whole = name === 'headers' ? `header ${count(anchor.height + 1 + at)}` : what;
    return `${bytes.length === 1 ? `byte ${bytes[0]}` : `${bytes.length} bytes`} of ${whole}`;
  });
  return list(changes.length > MOST_NAMED ? [...named, 'more'] : named);
}
