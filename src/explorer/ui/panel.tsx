import { useState } from 'preact/hooks';
import type { ComponentChildren, JSX } from 'preact';
import { curlLine, getJson } from '../model/rest.js';

interface PanelProps {
  readonly title: string;
  /** Address whose answer the panel shows. */
  readonly url: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly class?: string;
}

/** A part of the page, with the request behind it: as a line for a terminal, and as the answer in JSON. */
export function Panel({ title, url, aside, children, class: extra = '' }: PanelProps): JSX.Element {
  const [shown, setShown] = useState<'curl' | 'json' | undefined>();
  const toggle = (what: 'curl' | 'json'): void => setShown(shown === what ? undefined : what);
  return (
    <section class={`panel ${extra}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside}
        <span class="sources">
          <button type="button" class="quiet" aria-expanded={shown === 'curl'} onClick={() => toggle('curl')}>
            curl
          </button>
          <button type="button" class="quiet" aria-expanded={shown === 'json'} onClick={() => toggle('json')}>
            JSON
          </button>
        </span>
      </header>
      {shown === 'curl' && <CurlLine line={curlLine('GET', url)} />}
      {shown === 'json' && <Json url={url} />}
      {children}
    </section>
  );
}

/** A command line, and a button that copies it. */
export function CurlLine({ line }: { readonly line: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(line);
    setCopied(true);
  };
  return (
    <div class="curl">
      <code>{line}</code>
      <button type="button" class="quiet" onClick={() => void copy()}>
        {isCopied ? 'copied' : 'copy'}
      </button>
    </div>
  );
}

const MOST_JSON = 40_000;

function Json({ url }: { readonly url: string }): JSX.Element {
  const [text, setText] = useState('…');
  const [asked, setAsked] = useState('');
  if (asked !== url) {
    setAsked(url);
    getJson<unknown>(url).then(
      (body) => {
        const all = JSON.stringify(body, null, 2);
        setText(
          all.length > MOST_JSON ? `${all.slice(0, MOST_JSON)}\n… ${all.length - MOST_JSON} more characters` : all,
        );
      },
      (error: Error) => setText(error.message),
    );
  }
  return (
    <pre class="json" tabIndex={0} aria-label="The answer in JSON" dir="ltr">
      {text}
    </pre>
  );
}
