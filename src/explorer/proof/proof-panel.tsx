import '../../consensus/browser/buffer.js';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import './proof.css';
import { FORM_NAMES } from '../../proofs/offline/proof-form.js';
import { count } from '../model/format.js';
import { home, HOME_URL } from '../model/network.js';
import { excerpt } from '../model/printable.js';
import { getBytes } from '../model/rest.js';
import { Panel } from '../ui/panel.jsx';
import { checkProof, MAX_PROOF_BYTES, type Subject } from './check-proof.js';
import { DropZone, FilePicker } from './file-check.jsx';
import { Standing } from './standing.jsx';
import { VerdictCard } from './verdict-card.jsx';
import { Workshop } from './workshop.jsx';

export interface ProofPanelProps {
  /** The entry; without it the panel checks files only. */
  readonly id?: string;
  /** The block that the entry is to be in. */
  readonly block?: string;
  /** Whether it is known to be in no block. */
  readonly isPending?: boolean;
}

interface Checked {
  readonly subject: Subject;
  /** What was checked, for the heading. */
  readonly name: string;
  readonly isFromNode: boolean;
  /** Counts the checks of this panel. */
  readonly number: number;
}

/** Proof of an entry: to take away, to be checked here, and to be taken apart. Files from elsewhere are checked too. */
export function ProofPanel({ id, block, isPending = false }: ProofPanelProps): JSX.Element {
  const [checked, setChecked] = useState<Checked | undefined>();
  const [state, setState] = useState<'idle' | 'busy' | { readonly error: string }>('idle');
  const made = useRef(0);
  const running = useRef(new AbortController());
  useEffect(() => () => running.current.abort(), []);
  const path = `transactions/${encodeURIComponent(id ?? '')}/proof`;
  const url = `${HOME_URL}/${path}?format=json${block === undefined ? '' : `&block=${block}`}`;

  const check = async (name: string, isFromNode: boolean, read: () => Promise<Uint8Array>): Promise<void> => {
    setState('busy');
    running.current.abort();
    const { signal } = (running.current = new AbortController());
    try {
      const bytes = await read();
      signal.throwIfAborted();
      const subject = await checkProof(bytes, signal);
      made.current += 1;
      setChecked({ subject, name, isFromNode, number: made.current });
      setState('idle');
    } catch (error) {
      if (signal.aborted) return;
      setChecked(undefined);
      setState({ error: (error as Error).message });
    }
  };
  const onFile = (file: File): void => {
    void check(file.name, false, async () => {
      if (file.size > MAX_PROOF_BYTES) {
        throw new Error(
          `This file has ${count(file.size)} bytes. The page checks proofs of up to ${count(MAX_PROOF_BYTES)}.`,
        );
      }
      return new Uint8Array(await file.arrayBuffer());
    });
  };

  return (
    <Panel
      title={id === undefined ? 'Check a proof' : 'Proof'}
      url={id === undefined ? `${HOME_URL}/network` : url}
      class="wide proof"
    >
      <DropZone onFile={onFile}>
        {id !== undefined && (
          <Standing
            id={id}
            block={block}
            isPending={isPending}
            onCheck={() => void check('', true, () => getBytes(url))}
          />
        )}
        <FilePicker onFile={onFile} />
        {state === 'busy' && <p role="status">Reading and checking…</p>}
        {typeof state === 'object' && (
          <p class="error" role="alert">
            {excerpt(state.error, 400)}
          </p>
        )}
        {checked !== undefined && <Outcome key={checked.number} checked={checked} />}
      </DropZone>
    </Panel>
  );
}

function Outcome({ checked: { subject, name, isFromNode } }: { readonly checked: Checked }): JSX.Element {
  return (
    <section class="outcome" aria-label="Outcome of the check">
      <p class="faint">
        {isFromNode
          ? `The proof that ${home.peek()?.nodeId ?? 'this node'} gives now, checked by your browser, with the rules alone:`
          : `${excerpt(name, 60)}, ${FORM_NAMES[subject.form]}, checked by your browser${subject.form === 'json' ? ', with the rules alone:' : ' against the headers of this node:'}`}
      </p>
      {subject.proof === undefined ? (
        <VerdictCard verdict={subject.verdict} changes="" />
      ) : (
        <Workshop before={subject.proof} first={subject.verdict} mayRewrite={isFromNode} />
      )}
    </section>
  );
}
