import type { JSX } from 'preact';
import { hrefOf } from '../model/route.js';
import { useAnswer } from '../ui/use-answer.js';
import type { ProofPanelProps } from './proof-panel.jsx';

async function loadPanel(): Promise<{ ProofPanel: typeof import('./proof-panel.jsx').ProofPanel }> {
  const { ProofPanel } = await import('./proof-panel.jsx');
  return { ProofPanel };
}

/** The panel and the code that checks proofs, fetched when the reader first comes to them. */
export function LazyProof(props: ProofPanelProps): JSX.Element {
  const { value: panel, error } = useAnswer('', loadPanel);
  if (error !== undefined) return <p class="notice">{error}</p>;
  if (panel === undefined) return <p class="notice">Loading the check of proofs…</p>;
  const { ProofPanel } = panel;
  return <ProofPanel key={`${props.block} ${props.id}`} {...props} />;
}

/** A place of its own: `block hash/entry id` for an entry as a block has it, anything else for files only. */
export function ProofPage({ place }: { readonly place: string }): JSX.Element {
  const [block, id] = place.split('/');
  if (block === undefined || id === undefined) return <LazyProof />;
  return (
    <>
      <p class="back">
        <a href={hrefOf({ name: 'block', id: block })}>back to the block</a>
      </p>
      <LazyProof id={id} block={block} />
    </>
  );
}
