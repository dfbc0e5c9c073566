import type { JSX } from 'preact';
import type { BlockPlace } from '../../proofs/offline/header-tree.js';
import { count } from '../model/format.js';
import { home } from '../model/network.js';
import { printable } from '../model/printable.js';
import { useAnswer } from '../ui/use-answer.js';
import { isOnChain } from './check-proof.js';
import { whyOf, type Fails, type Holds, type Verdict } from './verdict.js';

interface VerdictCardProps {
  readonly verdict: Verdict;
  /** What the reader changed, in words; empty where that is nothing. */
  readonly changes: string;
  /** Whether the bytes have changed since, and the check runs. */
  readonly isStale?: boolean;
}

/** What a check came to, in words; read aloud when it changes. */
export function VerdictCard({ verdict, changes, isStale = false }: VerdictCardProps): JSX.Element {
  return (
    <div
      class={`verdict-card ${verdict.holds ? 'good' : 'bad'} ${isStale ? 'stale' : ''}`}
      role="status"
      aria-live="polite"
      aria-busy={isStale}
    >
      {verdict.holds ? <HoldsWords verdict={verdict} /> : <FailsWords verdict={verdict} changes={changes} />}
    </div>
  );
}

function HoldsWords({ verdict: { words, proven } }: { readonly verdict: Holds }): JSX.Element {
  return (
    <>
      <h3>✓ The proof holds.</h3>
      <div class="what">
        <ul>
          {words.proven.map((sentence) => (
            <li key={sentence}>
              <bdi>{printable(sentence)}</bdi>
            </li>
          ))}
          {proven.basis === 'work' && <ThisNode tip={proven.tip} />}
        </ul>
        <div>
          <h4>It does not prove:</h4>
          <ul class="not">
            {words.notProven.map((sentence) => (
              <li key={sentence}>
                <bdi>{printable(sentence)}</bdi>
              </li>
            ))}
          </ul>
        </div>
      </div>
    </>
  );
}

/** What the proof cannot know: whether the chain that it ends with is the one that this node is on. */
function ThisNode({ tip }: { readonly tip: BlockPlace }): JSX.Element | null {
  const { value } = useAnswer(tip.hash, () => isOnChain(tip));
  if (value === undefined) return null;
  const who = home.value?.nodeId ?? 'this node';
  return (
    <li class={value ? 'asked' : 'asked bad'}>
      {value
        ? `${who} was asked too: block ${count(tip.height)} is on its chain.`
        : `✗ ${who} was asked too, and block ${count(tip.height)} of the proof is not on its chain: a reorganisation has undone it, or it is of another network.`}
    </li>
  );
}

function FailsWords({
  verdict: { check, reason },
  changes,
}: {
  readonly verdict: Fails;
  readonly changes: string;
}): JSX.Element {
  return (
    <>
      <h3>
        ✗ The check <code>{check}</code> fails.
      </h3>
      {changes !== '' && <p>You changed {changes}.</p>}
      <p>{whyOf(check)}</p>
      <p class="faint reason">
        The check says: <bdi>{printable(reason)}</bdi>
      </p>
    </>
  );
}
