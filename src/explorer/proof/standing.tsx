import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { home, HOME_URL } from '../model/network.js';
import { count } from '../model/format.js';
import { getBytes, RefusedError, send } from '../model/rest.js';
import { hrefOf } from '../model/route.js';
import { useAnswer } from '../ui/use-answer.js';

interface StandingProps {
  readonly id: string;
  readonly block: string | undefined;
  readonly isPending: boolean;
  readonly onCheck: () => void;
}

/** What the node answers to whoever wants a proof of the entry. */
type Answer = { readonly kind: 'given' } | { readonly kind: 'refused'; readonly code: string; readonly detail: string };

const HEADER_JSON_BYTES = 163;

/** Where the entry stands, and what follows from it: proofs to take away, or what to do to get one. */
export function Standing({ id, block, isPending, onCheck }: StandingProps): JSX.Element {
  const { tip, status } = home.value ?? {};
  const of = block === undefined ? '' : `&block=${block}`;
  const url = `${HOME_URL}/transactions/${encodeURIComponent(id)}/proof`;
  // A merkleblock is small, whatever the length of the chain.
  const { value, error } = useAnswer<Answer>(
    `${id} ${block} ${isPending} ${block === undefined ? '' : tip?.hash}`,
    () => (isPending ? Promise.resolve(PENDING) : ask(`${url}?format=merkleblock${of}`)),
  );
  if (error !== undefined) return <p class="notice">{error}</p>;
  if (value === undefined) return <p class="notice">Asking for a proof…</p>;
  if (value.kind === 'refused') return <Refused id={id} answer={value} />;
  const name = (ending: string): string => `${id}.${status?.network ?? 'minichain'}.${ending}`;
  return (
    <>
      <p>
        Anybody can check a proof, years later and without a node: the text, its path to a block, and the work on that
        block.
      </p>
      <ul class="forms">
        <Form href={`${url}?format=json${of}`} name={name('proof.json')} title="JSON">
          complete, {sizeOf(tip?.height ?? 0)}, for <code>minichain&nbsp;verify</code>
        </Form>
        <Form href={`${url}?format=ots${of}`} name={name('ots')} title="OpenTimestamps">
          from the entry to a header, for OpenTimestamps tools
        </Form>
        <Form href={`${url}?format=merkleblock${of}`} name={name('merkleblock')} title="merkleblock">
          from the id to a header, for Bitcoin libraries
        </Form>
      </ul>
      <p class="row">
        <button type="button" class="primary" onClick={onCheck}>
          Check it here
        </button>
      </p>
    </>
  );
}

const PENDING: Answer = { kind: 'refused', code: 'entry-pending', detail: '' };

async function ask(url: string): Promise<Answer> {
  try {
    await getBytes(url);
    return { kind: 'given' };
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return { kind: 'refused', code: error.code, detail: error.message };
  }
}

function sizeOf(headers: number): string {
  const kilobytes = Math.ceil((1_500 + headers * HEADER_JSON_BYTES) / 1_000);
  return kilobytes < 1_000 ? `about ${kilobytes} kB` : `about ${count(Math.round(kilobytes / 1_000))} MB`;
}

interface FormProps {
  readonly href: string;
  readonly name: string;
  readonly title: string;
  readonly children: preact.ComponentChildren;
}

function Form({ href, name, title, children }: FormProps): JSX.Element {
  return (
    <li>
      <a class="button" href={href} download={name}>
        {title}
      </a>
      <span class="faint">{children}</span>
    </li>
  );
}

function Refused({
  id,
  answer: { code, detail },
}: {
  readonly id: string;
  readonly answer: Extract<Answer, { kind: 'refused' }>;
}): JSX.Element {
  switch (code) {
    case 'entry-pending':
      return <Pending />;
    case 'block-undone':
      return (
        <>
          <p>
            <b>This block was undone.</b> A reorganisation has put other blocks in its place, so it no longer proves
            anything. <a href={hrefOf({ name: 'entry', id })}>Where the entry is now</a>
          </p>
          <p class="faint reason">The node says: {detail}</p>
        </>
      );
    default:
      return <p class="error">{detail}</p>;
  }
}

/** There is nothing to prove yet; a block is what is missing. */
function Pending(): JSX.Element {
  const [error, setError] = useState('');
  const mine = async (): Promise<void> => {
    setError('');
    await send('POST', `${HOME_URL}/mine`, {}).catch((refusal: Error) => setError(refusal.message));
  };
  return (
    <>
      <p>
        <b>Not in a block yet.</b> The entry waits in the mempool, so there is nothing to prove yet. Its proof appears
        here once a node has mined it.
      </p>
      <p class="row">
        <button type="button" onClick={() => void mine()}>
          Mine a block at {home.value?.nodeId ?? 'this node'}
        </button>
      </p>
      {error !== '' && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </>
  );
}
