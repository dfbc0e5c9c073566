import type { JSX } from 'preact';
import type { JsonProof } from '../../proofs/offline/json-proof.js';
import { count, plural } from '../model/format.js';
import { excerpt } from '../model/printable.js';
import type { MerklePath } from './merkle-path.js';
import { readTransaction } from './proof-bytes.js';
import type { Verdict } from './verdict.js';

const WIDTH = 360;
const BOX = { width: 162, height: 42 } as const;
const COLUMNS = [0, WIDTH - BOX.width] as const;
const MIDDLE = (WIDTH - BOX.width) / 2;
/** From one row of the tree to the next. */
const ROW = 76;
/** Room for the mark that says whether two hashes are the same. */
const GAP = 46;
const CHAIN = { height: 60, side: 92, middle: 128 } as const;
const MOST_TEXT = 34;

interface PictureProps {
  readonly proof: JsonProof;
  readonly path: MerklePath;
  readonly verdict: Verdict;
  /** The way as it was at first: what differs from it is marked. */
  readonly before: MerklePath;
}

/** The way from an entry up to its block, and where it breaks. */
export function PathPicture({ proof, path, verdict, before }: PictureProps): JSX.Element {
  const { pairs, root, headerRoot, entryHash, id } = path;
  const rootY = CHAIN.height + GAP;
  const yOf = (level: number): number => rootY + (pairs.length - level) * ROW;
  const xOf = (level: number): number => {
    const pair = pairs[level];
    return pair === undefined ? MIDDLE : COLUMNS[Number(pair.isOwnRight)]!;
  };
  const entryY = yOf(0) + BOX.height + GAP;
  const isRoot = root === headerRoot;
  const isId = entryHash === id;
  return (
    <svg
      class="path-picture"
      viewBox={`-2 -2 ${WIDTH + 4} ${entryY + BOX.height + 4}`}
      role="img"
      aria-label={inWords(proof, path)}
    >
      <ChainRow proof={proof} verdict={verdict} headerRoot={headerRoot} />
      <path class={isRoot ? 'line' : 'line bad'} d={`M${WIDTH / 2} ${rootY}V${CHAIN.height}`} />
      <Mark y={CHAIN.height + GAP / 2} isSame={isRoot} what="Merkle root" />
      {pairs.map(({ own, sibling, isOwnRight }, level) => {
        const y = yOf(level);
        const parentX = xOf(level + 1) + BOX.width / 2;
        const parentY = yOf(level + 1) + BOX.height;
        return (
          <g key={level}>
            {COLUMNS.map((x) => (
              <path
                key={x}
                class="line"
                d={`M${x + BOX.width / 2} ${y}C${x + BOX.width / 2} ${y - 20} ${parentX} ${parentY + 22} ${parentX} ${parentY}`}
              />
            ))}
            <HashBox
              x={COLUMNS[Number(!isOwnRight)]!}
              y={y}
              kind="sibling"
              label={sibling === own ? `sibling ${level + 1}: the same again` : `sibling ${level + 1}`}
              hash={sibling}
              isChanged={sibling !== before.pairs[level]?.sibling}
            />
          </g>
        );
      })}
      {[...pairs.map(({ own }) => own), root].map((hash, level) => (
        <HashBox
          key={level}
          x={xOf(level)}
          y={yOf(level)}
          kind="own"
          label={level === 0 ? 'id' : level === pairs.length ? 'root' : 'hash of both'}
          hash={hash}
          isChanged={hash !== (before.pairs[level]?.own ?? before.root)}
        />
      ))}
      <path
        class={isId ? 'line' : 'line bad'}
        d={`M${WIDTH / 2} ${entryY}C${WIDTH / 2} ${entryY - 24} ${xOf(0) + BOX.width / 2} ${yOf(0) + BOX.height + 24} ${xOf(0) + BOX.width / 2} ${yOf(0) + BOX.height}`}
      />
      <Mark y={entryY - GAP / 2} x={(WIDTH / 2 + xOf(0) + BOX.width / 2) / 2} isSame={isId} what="hash" />
      <g class={entryHash === before.entryHash ? 'entry-box' : 'entry-box changed'}>
        <rect y={entryY} width={WIDTH} height={BOX.height} rx="9" />
        <text class="label" x="12" y={entryY + 16}>
          the entry: {plural(proof.transaction.length / 2, 'byte')}
          {entryHash === before.entryHash ? '' : ', changed'}
        </text>
        <text x="12" y={entryY + 33}>
          {textOf(proof)}
        </text>
      </g>
    </svg>
  );
}

function textOf({ transaction }: JsonProof): string {
  const read = readTransaction(transaction);
  return read === undefined || read.kind === 'coinbase' ? 'bytes that are no entry' : excerpt(read.data, MOST_TEXT);
}

function inWords({ block_height: height }: JsonProof, { pairs, root, headerRoot, entryHash, id }: MerklePath): string {
  const first = entryHash === id ? 'The hash of the entry is its id.' : 'The hash of the entry is not the id.';
  const last = root === headerRoot ? 'which is the Merkle root' : 'which is not the Merkle root';
  return `${first} With ${plural(pairs.length, 'sibling')} the id leads to ${root.slice(0, 12)}, ${last} in the header of block ${height}.`;
}

interface HashBoxProps {
  readonly x: number;
  readonly y: number;
  readonly kind: 'own' | 'sibling';
  readonly label: string;
  readonly hash: string;
  readonly isChanged: boolean;
}

function HashBox({ x, y, kind, label, hash, isChanged }: HashBoxProps): JSX.Element {
  return (
    <g class={`hash-box ${kind} ${isChanged ? 'changed' : ''}`}>
      <rect x={x} y={y} width={BOX.width} height={BOX.height} rx="9" />
      <text class="label" x={x + 12} y={y + 16}>
        {label}
        {isChanged ? ', changed' : ''}
      </text>
      <text class="digits" x={x + 12} y={y + 33}>
        {hash.slice(0, 16)}…
      </text>
    </g>
  );
}

/** Says of the two hashes that meet here whether they are the same. */
function Mark({
  x = WIDTH / 2,
  y,
  isSame,
  what,
}: {
  x?: number;
  y: number;
  isSame: boolean;
  what: string;
}): JSX.Element {
  return (
    <g class={isSame ? 'same-mark good' : 'same-mark bad'} transform={`translate(${x} ${y})`}>
      <circle r="11" />
      <text y="5.5" text-anchor="middle">
        {isSame ? '=' : '≠'}
      </text>
      <text class="label" x="18" y="4">
        {isSame ? `the same ${what}` : `✗ another ${what}`}
      </text>
    </g>
  );
}

/** The block of the entry, between what is below and what is on top of it. */
function ChainRow({
  proof,
  verdict,
  headerRoot,
}: Pick<PictureProps, 'proof' | 'verdict'> & { readonly headerRoot: string | undefined }): JSX.Element {
  const { block_height: height, anchor, tip } = proof;
  const fault = verdict.holds ? undefined : verdict.height;
  const isCut = !verdict.holds && verdict.check === 'link';
  const onTop = tip.height - height;
  const middleX = (WIDTH - CHAIN.middle) / 2;
  const rightX = WIDTH - CHAIN.side;
  const below =
    height - 1 === anchor.height ? [`block ${count(anchor.height)}`] : ['blocks', `to ${count(height - 1)}`];
  const above = onTop === 1 ? ['1 block', 'on top'] : [plural(onTop, 'block'), 'on top'];
  return (
    <g>
      <ChainBox x={0} width={CHAIN.side} lines={below} isBad={fault !== undefined && fault < height} />
      <ChainArrow from={middleX} to={CHAIN.side} isBad={isCut && fault === height} />
      <ChainBox
        x={middleX}
        width={CHAIN.middle}
        lines={[`header of ${count(height)}`, headerRoot === undefined ? 'missing' : `root ${headerRoot.slice(0, 8)}…`]}
        isBad={fault === height && !isCut}
      />
      {onTop > 0 && (
        <>
          <ChainArrow from={rightX} to={middleX + CHAIN.middle} isBad={isCut && fault === height + 1} />
          <ChainBox
            x={rightX}
            width={CHAIN.side}
            lines={above}
            isBad={fault !== undefined && fault > height && !(isCut && fault === height + 1)}
          />
        </>
      )}
    </g>
  );
}

function ChainBox({
  x,
  width,
  lines,
  isBad,
}: {
  readonly x: number;
  readonly width: number;
  readonly lines: readonly string[];
  readonly isBad: boolean;
}): JSX.Element {
  const first = CHAIN.height / 2 + 4 - (lines.length - 1) * 9;
  return (
    <g class={isBad ? 'chain-box bad' : 'chain-box'}>
      <rect x={x} y={0} width={width} height={CHAIN.height} rx="9" />
      {lines.map((line, i) => (
        <text key={i} x={x + width / 2} y={first + i * 18} text-anchor="middle">
          {line}
        </text>
      ))}
      {isBad && (
        <text class="cross" x={x + width - 6} y={15} text-anchor="end">
          ✗
        </text>
      )}
    </g>
  );
}

/** A header points to the one before it, by its hash. */
function ChainArrow({
  from,
  to,
  isBad,
}: {
  readonly from: number;
  readonly to: number;
  readonly isBad: boolean;
}): JSX.Element {
  const y = CHAIN.height / 2;
  return (
    <g class={isBad ? 'chain-arrow bad' : 'chain-arrow'}>
      <path d={`M${from} ${y}H${to + 3}m5 -5l-5 5l5 5`} />
      {isBad && (
        <text x={(from + to) / 2} y={y - 8} text-anchor="middle">
          ✗
        </text>
      )}
    </g>
  );
}
