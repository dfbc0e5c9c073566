import { useRef, useState } from 'preact/hooks';
import type { JSX } from 'preact';
import { count } from '../model/format.js';
import { changedBytes, shownRanges, turned, withDigit, type Segment } from './proof-bytes.js';

interface HexFieldProps {
  /** What these bytes are, for a screen reader. */
  readonly name: string;
  readonly hex: string;
  /** As it was at first: what differs from it is marked. */
  readonly before: string;
  readonly segments?: readonly Segment[];
  readonly onChange: (hex: string) => void;
}

/** Bytes as hex digits, each of which turns by a click. With the keyboard: arrows to move and to turn, or the digit itself. */
export function HexField({ name, hex, before, segments = [], onChange }: HexFieldProps): JSX.Element {
  const [chosen, setChosen] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const changed = new Set(changedBytes(hex, before));
  const ranges = shownRanges(hex.length / 2, [...changed]);
  const digits = ranges.flatMap(([from, to]) => Array.from({ length: 2 * (to - from) }, (_, i) => 2 * from + i));
  const cursor = digits.includes(chosen) ? chosen : 0;

  const move = (to: number | undefined): void => {
    if (to === undefined) return;
    setChosen(to);
    box.current?.querySelector<HTMLElement>(`[data-at="${to}"]`)?.focus();
  };
  const turn = (at: number, by: number): void => onChange(withDigit(hex, at, turned(hex[at]!, by)));
  const onClick = ({ target }: MouseEvent): void => {
    const at = (target as HTMLElement).dataset['at'];
    if (at === undefined) return;
    setChosen(Number(at));
    turn(Number(at), 1);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const place = digits.indexOf(cursor);
    const { key } = event;
    if (key === 'ArrowRight') move(digits[place + 1]);
    else if (key === 'ArrowLeft') move(digits[place - 1]);
    else if (key === 'Home') move(digits[0]);
    else if (key === 'End') move(digits.at(-1));
    else if (key === 'ArrowUp') turn(cursor, 1);
    else if (key === 'ArrowDown') turn(cursor, -1);
    else if (/^[0-9a-f]$/i.test(key)) {
      onChange(withDigit(hex, cursor, key.toLowerCase()));
      move(digits[place + 1]);
    } else return;
    event.preventDefault();
  };

  const byte = (at: number): JSX.Element => (
    <span key={at} class={changed.has(at) ? 'byte changed' : 'byte'}>
      {[2 * at, 2 * at + 1].map((digit) => (
        <button
          key={digit}
          type="button"
          tabIndex={digit === cursor ? 0 : -1}
          data-at={digit}
          aria-label={`byte ${at}, ${digit % 2 === 0 ? 'first' : 'second'} digit: ${hex[digit]}${changed.has(at) ? ', changed' : ''}`}
        >
          {hex[digit]}
        </button>
      ))}
    </span>
  );
  return (
    <div class="hex" role="group" aria-label={name} ref={box} onClick={onClick} onKeyDown={onKeyDown}>
      {ranges.map(([from, to], i) => (
        <>
          {i > 0 && <span class="gap"> … {count(from - ranges[i - 1]![1])} bytes … </span>}
          {cutAt(segments, from, to).map(({ tint, from: start, to: end }, n) => (
            <span key={n} class={tint === undefined ? '' : `part field-${tint}`}>
              {Array.from({ length: end - start }, (_, place) => byte(start + place))}
            </span>
          ))}
        </>
      ))}
    </div>
  );
}

/** The colours and names of the segments of a field. */
export function SegmentNames({ segments }: { readonly segments: readonly Segment[] }): JSX.Element {
  return (
    <ul class="segments">
      {segments.map(({ name }, tint) => (
        <li key={name} class={`part field-${tint}`}>
          {name}
        </li>
      ))}
    </ul>
  );
}

interface Stretch {
  readonly tint: number | undefined;
  readonly from: number;
  readonly to: number;
}

/** The bytes from `from` to `to`, cut where a segment begins. */
function cutAt(segments: readonly Segment[], from: number, to: number): Stretch[] {
  if (segments.length === 0) return [{ tint: undefined, from, to }];
  return segments.flatMap((segment, tint) => {
    const start = Math.max(from, segment.from);
    const end = Math.min(to, segment.to);
    return start < end ? [{ tint, from: start, to: end }] : [];
  });
}
