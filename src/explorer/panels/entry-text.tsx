import { useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { printable } from '../model/printable.js';
import { plural } from '../model/format.js';

const FOLDED = 400;

/** A text of a stranger: always text, in its own direction, folded where it is long. */
export function EntryText({ text }: { readonly text: string }): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const isLong = text.length > FOLDED;
  const shown = isLong && !isOpen ? text.slice(0, FOLDED) : text;
  return (
    <>
      <bdi class="entry-text" dir="auto">
        {printable(shown)}
        {isLong && !isOpen && '…'}
      </bdi>
      {isLong && (
        <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'fold' : `all ${plural(text.length, 'character')}`}
        </button>
      )}
    </>
  );
}
