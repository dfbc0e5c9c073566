import type { JSX } from 'preact';
import type { Proven } from '../../proofs/offline/verify-proof.js';
import { count } from '../model/format.js';
import { home } from '../model/network.js';
import { printable } from '../model/printable.js';
import { useAnswer } from '../ui/use-answer.js';
import { standingOf, type Standing } from './check-proof.js';
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
  // What the proof cannot know: whether its chain is the one that this node is on.
  const open = verdict.holds && verdict.proven.basis === 'work' ? verdict.proven : undefined;
  const { value } = useAnswer(open?.tip.hash ?? '', async () => open && standingOf(open));
  const standing = open && value;
  const isDoubtful = standing !== undefined && standing.kind !== 'on-chain';
  const tone = !verdict.holds ? 'bad' : isDoubtful ? 'doubtful' : 'good';
  return (
    <div class={`verdict-card ${tone} ${isStale ? 'stale' : ''}`} role="status" aria-live="polite" aria-busy={isStale}>
      {verdict.holds ? (
        <HoldsWords verdict={verdict} standing={standing} />
      ) : (
        <FailsWords verdict={verdict} changes={changes} />
      )}
    </div>
  );
}

interface HoldsProps {
  readonly verdict: Holds;
  /** undefined where the node was not asked, or has not answered. */
  readonly standing: Standing | undefined;
}

function HoldsWords({ verdict: { words, proven }, standing }: HoldsProps): JSX.Element {
  const who = home.value?.nodeId ?? 'this node';
  const but = {
    'on-chain': '',
    'off-chain': `, but its chain is not the one of ${who}`,
    'other-network': ', but for another network',
  }[standing?.kind ?? 'on-chain'];
  return (
    <>
      <h3>✓ The proof holds{but}.</h3>
      <div class="what">
        <ul>
          {words.proven.map((sentence) => (
            <li key={sentence}>
              <bdi>{printable(sentence)}</bdi>
            </li>
          ))}
          {standing !== undefined && (
            <li class={but === '' ? 'asked' : 'asked bad'}>
              <bdi>{printable(askedInWords(who, standing, proven))}</bdi>
            </li>
          )}
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

function askedInWords(who: string, standing: Standing, { tip }: Proven): string {
  if (standing.kind === 'other-network')
    return `✗ ${who} is on network ${standing.network}, with the genesis ${standing.genesis.slice(0, 12)}…: it does not know this chain.`;
  const asked = `${who} was asked too: block ${count(tip.height)}`;
  if (standing.kind === 'on-chain') return `${asked} is on its chain.`;
  return `✗ ${asked} is not on its chain. A reorganisation has undone it, or ${who} does not have it yet.`;
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
