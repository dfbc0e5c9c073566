import { useEffect, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import type { Block } from '../../consensus/block.js';
import type { RuleCode } from '../../consensus/rule-error.js';
import { announce } from '../model/announce.js';
import { count, plural } from '../model/format.js';
import { excerpt } from '../model/printable.js';
import { hrefOf } from '../model/route.js';
import { useAnswer } from '../ui/use-answer.js';
import { loadPast, type Past } from './load-past.js';
import { mineAgain } from './mine.js';
import { changeText, judge, repairRoot, withHeader, type Judgement } from './rewrite.js';
import { WhyRefused } from './why-refused.jsx';

/** Changes an old entry in this browser only, and shows what the rules say of everything after it. */
export function PastPage({ id }: { readonly id: string }): JSX.Element {
  const { value, error } = useAnswer(id, () => loadPast(id));
  if (error !== undefined) return <p class="notice">{error}</p>;
  if (value === undefined) return <p class="notice">Reading the chain from this block on…</p>;
  return <Workshop key={id} past={value} />;
}

function Workshop({ past }: { readonly past: Past }): JSX.Element {
  const { rules, params, firstHeight, parentHash, more, checked, text: oldText, entryId } = past;
  const [text, setText] = useState(oldText);
  const [blocks, setBlocks] = useState<readonly Block[]>(past.blocks);
  const [tried, setTried] = useState<number | undefined>();
  const [hashes, setHashes] = useState(0);
  const abort = useRef(new AbortController());
  useEffect(() => () => abort.current.abort(), []);

  const judgements = judge(rules, blocks, { firstHeight, parentHash, params, checked });
  const bad = judgements.filter(({ code }) => code !== undefined).length;
  const isChanged = text !== oldText;
  const [first] = judgements;
  const isMining = tried !== undefined;

  const edit = (to: string): void => {
    setText(to);
    setHashes(0);
    if (!to.isWellFormed()) return;
    setBlocks([changeText(rules, past.blocks[0]!, entryId, to), ...past.blocks.slice(1)]);
  };
  /** Mines the blocks from `from` up to `to` again, each on top of the one before. */
  const mine = async (from: number, to: number): Promise<void> => {
    let chain = blocks;
    try {
      for (let i = from; i < to; i++) {
        setTried(0);
        const linked = i === 0 ? chain[0]! : withHeader(rules, chain[i]!, { previousHash: chain[i - 1]!.hash });
        let last = 0;
        const mined = await mineAgain(rules, linked, (n) => setTried((last = n)), abort.current.signal);
        setHashes((all) => all + last);
        chain = chain.with(i, mined);
        setBlocks(chain);
      }
      announce(
        to === chain.length ? 'All blocks of your branch are valid again.' : `Block ${firstHeight} is valid again.`,
      );
    } finally {
      setTried(undefined);
    }
  };

  const step = stepOf(isChanged, first?.code, bad);
  const name = `block ${count(firstHeight)}`;
  return (
    <section class="panel wide past" aria-label="Edit the past">
      <header>
        <h2>Edit the past</h2>
        <span class="tag">only in this browser: nothing is sent</span>
        <a class="sources" href={hrefOf({ name: 'block', id: String(firstHeight) })}>
          back to {name}
        </a>
      </header>
      <label for="past-text">The entry in {name}. Change it:</label>
      <textarea
        id="past-text"
        rows={2}
        dir="auto"
        value={text}
        disabled={isMining}
        onInput={(event) => edit(event.currentTarget.value)}
      />
      <ol class="judged" aria-label="What the rules say of each block">
        {judgements.map((judgement, i) => (
          <JudgedBlock key={i} height={firstHeight + i} block={blocks[i]!} judgement={judgement} />
        ))}
        {more > 0 && <li class="more">and {plural(more, 'later block')}</li>}
      </ol>
      <div class="act" aria-live="polite">
        {step === 0 && <p>Every block is valid. Change a letter above and watch.</p>}
        {step === 1 && (
          <>
            <p>
              The entries no longer hash to the Merkle root in the header. One changed letter,{' '}
              {plural(bad, 'bad block')}.
            </p>
            <button
              type="button"
              class="primary"
              onClick={() => setBlocks(blocks.with(0, repairRoot(rules, blocks[0]!)))}
            >
              Write the new Merkle root into the header
            </button>
          </>
        )}
        {step === 2 && (
          <>
            <p>The header changed, so its hash is another, and no longer below the target. It must be mined again.</p>
            <button type="button" class="primary" disabled={isMining} onClick={() => void mine(0, 1)}>
              Mine {name} again
            </button>
          </>
        )}
        {step === 'forged' && (
          <p>
            {count(firstHeight)} has the work again, and no node will ever take it: the text is signed, and this
            signature belongs to the old text. Only who holds the key can sign another.
          </p>
        )}
        {step === 3 && (
          <>
            <p>
              {count(firstHeight)} is valid again, but it has a new hash, and the next header still names the old one.{' '}
              {plural(bad, 'block')} to go.
            </p>
            <button type="button" class="primary" disabled={isMining} onClick={() => void mine(1, blocks.length)}>
              Mine {bad === 1 ? 'the later block' : `all ${count(bad)} later blocks`} again
            </button>
          </>
        )}
        {step === 4 && <WhyRefused past={past} blocks={blocks} />}
        {isMining && <p class="faint">Searching in this browser: {plural(tried, 'hash', 'hashes')} tried…</p>}
        {!isMining && hashes > 0 && <p class="faint">It took {plural(hashes, 'hash', 'hashes')} in this browser.</p>}
      </div>
    </section>
  );
}

/** How far the rewriting is: what the rules say next of the first block, or of those after it. */
function stepOf(isChanged: boolean, code: RuleCode | undefined, bad: number): 0 | 1 | 2 | 3 | 4 | 'forged' {
  if (!isChanged) return 0;
  if (code === 'bad-txnmrklroot') return 1;
  if (code === 'bad-sig') return 'forged';
  if (code !== undefined) return 2;
  return bad > 0 ? 3 : 4;
}

function JudgedBlock({
  height,
  block,
  judgement,
}: {
  height: number;
  block: Block;
  judgement: Judgement;
}): JSX.Element {
  const { code, reason } = judgement;
  return (
    <li class={code === undefined ? 'valid' : 'invalid'}>
      <b>{count(height)}</b>
      <span class="hash">{block.hash.slice(0, 12)}…</span>
      <span class="verdict">{code ?? 'valid'}</span>
      <span class="reason">{code === undefined ? '' : excerpt(reason, 160)}</span>
    </li>
  );
}
