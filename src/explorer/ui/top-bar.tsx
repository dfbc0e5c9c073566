import type { JSX } from 'preact';
import { home } from '../model/network.js';
import { excerpt } from '../model/printable.js';
import { goTo, hrefOf, isPresenting } from '../model/route.js';
import { NodeName } from './node-badge.jsx';

export function TopBar(): JSX.Element {
  const { nodeId = '', status } = home.value ?? {};
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    const query = (event.currentTarget as HTMLFormElement).querySelector('input')!.value.trim();
    if (query !== '') goTo({ name: 'search', id: query });
  };
  return (
    <header class="top-bar">
      <a class="mark" href={hrefOf({ name: 'overview' })}>
        <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
          <path d="M9 16h14M9 16l9 9" />
          <rect class="node-0" x="2" y="10" width="12" height="12" rx="3" />
          <rect class="node-1" x="19" y="10" width="12" height="12" rx="3" />
          <rect class="branch" x="15" y="22" width="9" height="9" rx="2.4" />
        </svg>
        minichain
      </a>
      {nodeId !== '' && (
        <span class="whose">
          as seen by <NodeName id={nodeId} />
          {status && <span class="faint">network “{excerpt(status.network, 24)}”</span>}
        </span>
      )}
      <form class="search" role="search" onSubmit={onSubmit}>
        <input
          type="search"
          name="query"
          placeholder="Height, hash, id or text"
          aria-label="Search by height, hash, id or text"
          autoComplete="off"
          spellcheck={false}
        />
      </form>
      <nav aria-label="More">
        <a href={isPresenting ? '/' : '/?present'}>{isPresenting ? 'All panels' : 'Present'}</a>
        <a href={hrefOf({ name: 'proof', id: 'file' })}>Check a proof</a>
        <a href="/docs">API</a>
      </nav>
    </header>
  );
}
