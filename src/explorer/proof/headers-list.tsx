import { useEffect, useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { hash256 } from '../../consensus/hash.js';
import { decodeHeader } from '../../consensus/header.js';
import type { JsonProof } from '../../proofs/offline/json-proof.js';
import { count, plural } from '../model/format.js';
import { headerRows } from './header-rows.js';
import { HexField, SegmentNames } from './hex-field.jsx';
import { HEADER_SEGMENTS } from './proof-bytes.js';
import { isHeaderGood, type Verdict } from './verdict.js';

/** So many headers of a folded stretch are opened at a time. */
const OPENED_AT_ONCE = 10;

interface HeadersListProps {
  readonly proof: JsonProof;
  readonly before: JsonProof;
  readonly verdict: Verdict;
  readonly onChange: (at: number, hex: string) => void;
}

/** The headers of a proof: those around the entry's block, the last one, and those that were changed; the others folded. */
export function HeadersList({ proof, before, verdict, onChange }: HeadersListProps): JSX.Element {
  const { block_height: block, anchor, headers } = proof;
  const first = anchor.height + 1;
  const last = anchor.height + headers.length;
  const [unfolded, setUnfolded] = useState<readonly number[]>([]);
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set([block]));
  const fault = verdict.holds ? undefined : verdict.height;
  const edited = headers.flatMap((hex, at) => (hex === before.headers[at] ? [] : [first + at]));
  const faulty = fault === undefined ? [] : [fault - 1, fault];
  const shown = new Set([first, block, block + 1, last, ...edited, ...faulty, ...unfolded]);
  const list = useRef<HTMLOListElement>(null);
  const opened = useRef<number | undefined>(undefined);
  const toggle = (height: number): void => {
    const next = new Set(open);
    if (!next.delete(height)) next.add(height);
    setOpen(next);
  };
  const unfold = (from: number, to: number): void => {
    const length = Math.min(OPENED_AT_ONCE, to - from + 1);
    setUnfolded([...unfolded, ...Array.from({ length }, (_, i) => from + i)]);
    opened.current = from;
  };
  useEffect(() => {
    // The button that opened them may be gone, and the focus of the keyboard with it.
    list.current?.querySelector<HTMLElement>(`[data-height="${opened.current}"]`)?.focus();
  }, [unfolded]);
  return (
    <>
      <SegmentNames segments={HEADER_SEGMENTS} />
      <ol class="headers" ref={list}>
        {headerRows(first, last, shown).map((row) =>
          row.kind === 'run' ? (
            <li key={`run-${row.from}`}>
              <button type="button" class="run" onClick={() => unfold(row.from, row.to)}>
                {plural(row.to - row.from + 1, 'header')} of blocks {count(row.from)} to {count(row.to)}: show some
              </button>
            </li>
          ) : (
            <HeaderLine
              key={row.height}
              proof={proof}
              before={before}
              verdict={verdict}
              height={row.height}
              isOpen={open.has(row.height) || edited.includes(row.height)}
              onToggle={() => toggle(row.height)}
              onChange={(hex) => onChange(row.height - first, hex)}
            />
          ),
        )}
      </ol>
    </>
  );
}

interface HeaderLineProps {
  readonly proof: JsonProof;
  readonly before: JsonProof;
  readonly verdict: Verdict;
  readonly height: number;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly onChange: (hex: string) => void;
}

function HeaderLine({ proof, before, verdict, height, isOpen, onToggle, onChange }: HeaderLineProps): JSX.Element {
  const at = height - proof.anchor.height - 1;
  const hex = proof.headers[at]!;
  const isGood = isHeaderGood(verdict, height);
  const role =
    height === proof.block_height ? 'the block of the entry' : height === proof.tip.height ? 'the last one' : '';
  return (
    <li class={isGood === undefined ? '' : isGood ? 'good-header' : 'bad-header'}>
      <p class="header-line">
        <button type="button" class="quiet" data-height={height} aria-expanded={isOpen} onClick={onToggle}>
          header {count(height)}
        </button>
        <span class="hash">{hashOf(hex).slice(0, 14)}…</span>
        <span class="faint">{role}</span>
        <span class="verdict">{isGood === undefined ? 'not checked' : isGood ? '✓' : '✗ here'}</span>
      </p>
      {!verdict.holds && isGood === false && <p class="fault">{faultOf(proof, verdict.check, height)}</p>}
      {isOpen && (
        <HexField
          name={`The 80 bytes of header ${height}`}
          hex={hex}
          before={before.headers[at] ?? hex}
          segments={HEADER_SEGMENTS}
          onChange={onChange}
        />
      )}
    </li>
  );
}

function hashOf(hex: string): string {
  return hash256(Buffer.from(hex, 'hex'));
}

/** What is wrong with this header, with the hashes that do not fit. */
function faultOf({ headers, anchor, tip, block_hash: named }: JsonProof, check: string, height: number): string {
  const at = height - anchor.height - 1;
  const hash = hashOf(headers[at]!);
  switch (check) {
    case 'link': {
      const wanted = decodeHeader(Buffer.from(headers[at]!, 'hex')).previousHash;
      const parent = at === 0 ? anchor.hash : hashOf(headers[at - 1]!);
      return `It follows a block ${wanted.slice(0, 12)}…, and the one before it is ${parent.slice(0, 12)}….`;
    }
    case 'work':
      return `Its hash ${hash.slice(0, 12)}… is above its target.`;
    case 'tip':
      return `Its hash is ${hash.slice(0, 12)}…, and the proof ends with ${tip.hash.slice(0, 12)}….`;
    case 'block':
      return `Its hash is ${hash.slice(0, 12)}…, and the proof names ${named.slice(0, 12)}….`;
    default:
      return '';
  }
}
