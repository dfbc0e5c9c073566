import { useEffect, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { followEntry } from '../model/follow.js';
import { home, HOME_URL } from '../model/network.js';
import { curlLine, send } from '../model/rest.js';
import { CurlLine } from './panel.jsx';

interface Receipt {
  readonly id: string;
  readonly status: 'pending' | 'confirmed';
}

/** Posts an entry to this node. */
export function Composer(): JSX.Element {
  const [text, setText] = useState('hello');
  const [error, setError] = useState('');
  const [isSending, setSending] = useState(false);
  const [showsCurl, setShowsCurl] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const { nodeId = 'this node', link, tip } = home.value ?? {};
  const isEmptyChain = tip?.height === 0;
  useEffect(() => {
    // One press of Enter is all that a first visit needs.
    if (isEmptyChain && document.activeElement === document.body) button.current?.focus({ preventScroll: true });
  }, [isEmptyChain]);

  const post = async (): Promise<void> => {
    setSending(true);
    setError('');
    try {
      const { id } = await send<Receipt>('POST', `${HOME_URL}/blocks`, { data: text });
      followEntry(id, text);
    } catch (refusal) {
      setError((refusal as Error).message);
    }
    setSending(false);
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (text !== '' && !isSending) void post();
  };
  return (
    <form class="composer" onSubmit={onSubmit} aria-label="Post an entry">
      <label for="entry">Your entry. Once it is in the chain, nobody can change it.</label>
      <div class="row">
        <input
          id="entry"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          dir="auto"
          autoComplete="off"
          maxLength={16_384}
        />
        <button type="submit" class="primary" ref={button} disabled={link !== 'live' || text === ''}>
          Post to {nodeId}
        </button>
        <button
          type="button"
          class="quiet"
          aria-expanded={showsCurl}
          aria-label="The same as a curl line"
          onClick={() => setShowsCurl(!showsCurl)}
        >
          curl
        </button>
      </div>
      {showsCurl && <CurlLine line={curlLine('POST', `${HOME_URL}/blocks`, { data: text })} />}
      {error !== '' && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
