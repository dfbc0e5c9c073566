import type { TreeBlock } from '../../chain/fork-schemas.js';
import type { Mood } from '../../common/network-sentence.js';
import { cellsOf, cutEnd, padEnd } from '../cells.js';
import { fitColumns, joinCells, type Fit } from '../fit-columns.js';
import { clockTime, count, duration, hashRate, nodeName, plural, printable, shortHash } from '../format.js';
import { letterOf, type Letters } from './letters.js';
import type { NetworkView, NodeState } from './network-view.js';
import type { Paint, Style } from './paint.js';

/** Branches and news beside each other's room: blocks get what is left. */
const MAX_BRANCHES = 3;
const MAX_NEWS = 5;
const MIN_BLOCKS = 3;
/** The newest heights; a branch further down is history. */
const RECENT_HEIGHTS = 100;
const MAX_NAME = 16;

const MOODS: Readonly<Record<Mood, Style>> = { agree: 'good', wait: 'warning', split: 'bad', down: 'bad' };

export interface Frame {
  /** In cells. */
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  readonly paint: Paint;
}

/** What a terminal shows: at most `rows` lines of at most `columns` cells each. */
export function renderNetwork(view: NetworkView, letters: Letters, frame: Frame): string[] {
  const { columns, rows, paint } = frame;
  const { text, mood } = view.sentence();
  const top = [titleLine(view, frame), ...twoLines(text, columns).map((line) => paint(MOODS[mood], line))];
  const room = rows - top.length;
  const nodes = nodeLines(view, letters, room - 1, frame);
  const peers = peerLines(view, letters, frame);
  const branches = branchLines(view, letters, frame);
  const news = newsLines(view, letters, frame);
  const sections = [nodes];
  let left = room - cost(nodes);
  // The blocks come before the rest, but leave room for it.
  const wanted = [branches, news, peers].filter((section) => section.length > 0);
  const reserved: string[][] = [];
  for (const section of wanted) {
    if (left - cost(section) - (MIN_BLOCKS + 2) < 0) continue;
    left -= cost(section);
    reserved.push(section);
  }
  if (left > 2) sections.push(blockLines(view, letters, left - 2, frame));
  const ordered = [...sections, ...[peers, branches, news].filter((section) => reserved.includes(section))];
  const lines = [...top, ...ordered.flatMap((section) => (section.length > 0 ? ['', ...section] : []))];
  return lines.slice(0, rows);
}

function cost(section: readonly string[]): number {
  return section.length === 0 ? 0 : section.length + 1;
}

function titleLine(view: NetworkView, { columns, nowMs, paint }: Frame): string {
  const name = view.network === '' ? '' : ` network ${cutEnd(view.network, 24)},`;
  const left = `minichain watch:${name} ${plural(view.nodes.length, 'node')}`;
  const gapBefore = (right: string): number => columns - cellsOf(left) - cellsOf(right);
  const right = [`${clockTime(nowMs)}  q quits`, 'q quits'].find((text) => gapBefore(text) >= 2);
  return right === undefined
    ? paint('strong', cutEnd(left, columns))
    : `${paint('strong', left)}${' '.repeat(gapBefore(right))}${paint('faint', right)}`;
}

/** The sentence is what a reader looks for first: where it does not fit, it goes on in a second line. */
function twoLines(text: string, columns: number): string[] {
  if (cellsOf(text) <= columns) return [text];
  const words = text.split(' ');
  const fits = (count: number): boolean => cellsOf(words.slice(0, count).join(' ')) <= columns;
  const first = words.findLastIndex((_, at) => fits(at + 1)) + 1;
  if (first === 0) return [cutEnd(text, columns)];
  return [words.slice(0, first).join(' '), cutEnd(words.slice(first).join(' '), columns)];
}

function nodeLines(view: NetworkView, letters: Letters, room: number, { columns, paint }: Frame): string[] {
  const shown = view.nodes.slice(0, Math.max(1, view.nodes.length <= room - 1 ? room - 1 : room - 2));
  const rows = shown.map((node) => [
    letterOf(letters, node.nodeId),
    cutEnd(node.nodeId, MAX_NAME),
    node.tip === undefined ? '' : count(node.tip.height),
    node.tip === undefined ? '' : shortHash(node.tip.hash),
    latencies(node, letters),
    node.status === undefined ? '' : count(node.status.mempool.transactions),
    stateOf(node),
  ]);
  const heading = ['', 'NODE', 'BLOCK', 'TIP', 'PEERS, MS', 'MEMPOOL', 'STATE'];
  const fit: Fit = {
    width: columns,
    cuts: { NODE: 'end', STATE: 'end', 'PEERS, MS': 'end' },
    drops: ['MEMPOOL', 'PEERS, MS', 'TIP'],
  };
  const isRight = [false, false, true, false, false, true, false];
  const lines = paintTable([heading, ...rows], isRight, fit, paint, (cell, column, row) => {
    const node = shown[row]!;
    if (column === 0) return paint(letters.get(node.nodeId)?.style ?? 'plain', cell);
    return node.link === 'down' ? paint('bad', cell) : cell;
  });
  const more = view.nodes.length - shown.length;
  return more === 0 ? lines : [...lines, paint('faint', cutEnd(`and ${plural(more, 'more node')}`, columns))];
}

/** "B 1.2, C 0.8" where letters are known, otherwise how many and how far. */
function latencies({ peers, link }: NodeState, letters: Letters): string {
  if (link !== 'live') return '';
  const connected = peers.filter((peer) => peer.connected);
  if (connected.length === 0) return 'none';
  const known = connected
    .map(({ id, latencyMs }) => ({ letter: letters.get(id === null ? '' : nodeName(id))?.letter, latencyMs }))
    .sort((a, b) => (a.letter ?? '').localeCompare(b.letter ?? ''));
  if (connected.length <= 3 && known.every(({ letter }) => letter !== undefined)) {
    return known.map(({ letter, latencyMs }) => `${letter} ${milliseconds(latencyMs)}`).join(', ');
  }
  const times = connected.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
  if (times.length === 0) return `${connected.length}`;
  return `${connected.length}: ${milliseconds(Math.min(...times))} to ${milliseconds(Math.max(...times))}`;
}

function milliseconds(value: number | null): string {
  if (value === null) return '?';
  return value < 10 ? value.toFixed(1) : count(Math.round(value));
}

function stateOf({ link, reason, status, isMining }: NodeState): string {
  if (link === 'down') return `down: ${reason}`;
  if (link === 'connecting' || status === undefined) return 'connecting';
  if (status.sync.state !== 'idle') return `syncing ${Math.floor(status.sync.progress * 100)} %`;
  if (isMining) return `mining ${hashRate(status.mining.hashRate)}`;
  return status.mining.auto ? 'idle' : 'mines on demand';
}

/** Peers that are not nodes of the table above. */
function peerLines(view: NetworkView, letters: Letters, { columns, paint }: Frame): string[] {
  const [home] = view.nodes;
  const followed = new Set(view.nodes.map(({ nodeId }) => nodeId));
  const others = (home?.peers ?? []).filter(({ id, connected }) => connected && !followed.has(nodeName(id ?? '')));
  if (home?.link !== 'live' || others.length === 0) return [];
  const rows = others
    .slice(0, MAX_NEWS)
    .map(({ id, address, direction, latencyMs, height, tip }) => [
      letterOf(letters, nodeName(id ?? '')),
      printable(id ?? '?', MAX_NAME),
      printable(address, 40),
      direction ?? '',
      latencyMs === null ? '' : `${milliseconds(latencyMs)} ms`,
      height === null ? '' : count(height),
      tip === null ? '' : shortHash(tip),
    ]);
  const heading = ['', 'PEER', 'ADDRESS', 'DIALLED', 'LATENCY', 'BLOCK', 'TIP'];
  const fit: Fit = { width: columns, cuts: { ADDRESS: 'end', PEER: 'end' }, drops: ['DIALLED', 'ADDRESS', 'TIP'] };
  const lines = paintTable(
    [heading, ...rows],
    [false, false, false, false, true, true, false],
    fit,
    paint,
    (cell) => cell,
  );
  const more = others.length - rows.length;
  return more === 0 ? lines : [...lines, paint('faint', cutEnd(`and ${plural(more, 'more peer')}`, columns))];
}

function blockLines(view: NetworkView, letters: Letters, room: number, { columns, nowMs, paint }: Frame): string[] {
  const blocks = view.blocks.newest().slice(0, room);
  if (blocks.length === 0) return [];
  const least = blocks.at(-1)!.height;
  const chains = view.nodes.map(({ nodeId, tip }) => ({
    letter: letterOf(letters, nodeId),
    hashes: tip === undefined ? new Set<string>() : view.blocks.chainOf(tip.hash, least),
  }));
  const rows = blocks.map((block) => [
    count(block.height),
    shortHash(block.hash),
    age(nowMs - block.receivedMs),
    block.entries === null ? '?' : count(block.entries),
    block.miner === null ? '?' : printable(block.miner, MAX_NAME),
    placeOf(block, chains),
  ]);
  const heading = ['BLOCK', 'HASH', 'AGE', 'ENTRIES', 'MINER', view.nodes.length > 1 ? 'ON THE CHAIN OF' : 'PLACE'];
  const fit: Fit = { width: columns, cuts: { MINER: 'end' }, drops: ['ENTRIES', 'AGE', 'HASH'] };
  return paintTable([heading, ...rows], [true, false, true, true, false, false], fit, paint, (cell, _column, row) =>
    chains.some(({ hashes }) => hashes.has(blocks[row]!.hash)) ? cell : paint('faint', cell),
  );
}

/** The letters of the nodes on whose chain it is, each in its place; a word where it is on none. */
function placeOf(
  block: TreeBlock,
  chains: readonly { readonly letter: string; readonly hashes: ReadonlySet<string> }[],
): string {
  if (!chains.some(({ hashes }) => hashes.has(block.hash))) return block.status === 'orphan' ? 'orphan' : 'side block';
  if (chains.length === 1) return 'active';
  return chains.map(({ letter, hashes }) => (hashes.has(block.hash) ? letter : '-'.repeat(letter.length))).join(' ');
}

function branchLines(view: NetworkView, letters: Letters, { columns, paint }: Frame): string[] {
  const home = view.nodes.find(({ link, tip }) => link === 'live' && tip !== undefined) ?? view.nodes[0];
  if (home?.tip === undefined) return [];
  const least = home.tip.height - RECENT_HEIGHTS;
  const recent = view.blocks.sideBranches(home.tip.hash).filter(({ end }) => end.height > least);
  if (recent.length === 0) return [];
  const lines = recent.slice(0, MAX_BRANCHES).map(({ forkHeight, length, end, hashes }) => {
    const on = view.nodes
      .filter(({ tip }) => tip !== undefined && hashes.has(tip.hash))
      .map(({ nodeId }) => letterOf(letters, nodeId));
    const who = on.length === 0 ? 'no node is on it' : `on it: ${on.join(' ')}`;
    return `after ${count(forkHeight)}: ${plural(length, 'block')} to ${count(end.height)} ${shortHash(end.hash)}, ${who}`;
  });
  const more = recent.length - lines.length;
  const title = `FORKS BESIDE THE CHAIN OF ${letterOf(letters, home.nodeId)}${more > 0 ? ` (${more} MORE: minichain forks)` : ''}`;
  return [paint('faint', cutEnd(title, columns)), ...lines.map((line) => cutEnd(line, columns))];
}

function newsLines({ news }: NetworkView, letters: Letters, { columns, paint }: Frame): string[] {
  if (news.length === 0) return [];
  const shown = news.slice(0, MAX_NEWS);
  const width = Math.max(...shown.map(({ nodeId }) => Math.min(MAX_NAME, cellsOf(nodeId))));
  const lines = shown.map(({ atMs, nodeId, text }) => {
    const who = padEnd(cutEnd(nodeId, width), width);
    const start = `${clockTime(atMs)}  `;
    const rest = cutEnd(`${who}  ${text}`, Math.max(0, columns - start.length));
    const style = letters.get(nodeId)?.style ?? 'plain';
    const painted = rest.startsWith(who) ? `${paint(style, who)}${rest.slice(who.length)}` : rest;
    return `${paint('faint', cutEnd(start, columns))}${painted}`;
  });
  return [paint('faint', cutEnd('HAPPENED', columns)), ...lines];
}

/** "now", "4 s", "3 min", "2 h", "5 d" */
function age(ms: number): string {
  if (ms < 1_000) return 'now';
  const whole = duration(Math.floor(ms / 1_000) * 1_000);
  return /^\d+\.\d s$/.test(whole) ? whole.replace(/\.\d/, '') : whole.split(' ').slice(0, 2).join(' ');
}

function paintTable(
  rows: readonly (readonly string[])[],
  isRight: readonly boolean[],
  fit: Fit,
  paint: Paint,
  paintCell: (cell: string, column: number, row: number) => string,
): string[] {
  const [heading, ...others] = fitColumns(rows, isRight, fit);
  // Columns are only dropped from the middle, so the first keeps its number.
  return [
    paint('faint', joinCells(heading!).trimEnd()),
    ...others.map((cells, row) => joinCells(cells.map((cell, column) => paintCell(cell, column, row))).trimEnd()),
  ];
}
