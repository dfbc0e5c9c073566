import type { FeedEvent } from '../../events/event-schemas.js';
import { describeSyncState } from '../describe-sync.js';
import { count, nodeName, plural, printable } from '../format.js';

const MAX_TEXT = 200;

type EventOf<T extends FeedEvent['type']> = Extract<FeedEvent, { type: T }>;

/** Why a search for a nonce ended without a block. */
const ENDS: Readonly<Record<string, string>> = {
  stale: 'the tip changed',
  refreshed: 'it takes in new entries',
};

/**
 * Describes an event of a node in words that are safe to print, without the node's name.
 * @param hashText how hashes and ids are written.
 */
export function describeEvent(event: FeedEvent, hashText: (hash: string) => string = printable): string {
  switch (event.type) {
    case 'block':
      return describeBlock(event, hashText);
    case 'tip':
      return describeTip(event, hashText);
    case 'entry':
      return describeEntries(event, hashText);
    case 'peer':
      return describePeer(event);
    case 'mining':
      return describeMining(event, hashText);
    case 'sync':
      return event.state === 'idle' ? 'sync ended' : `sync: ${describeSyncState(event)}`;
    case 'lab':
      return printable(event.text, MAX_TEXT);
    case 'reset':
      return 'events were missed';
    default:
      // Of a newer node (docs/events.md).
      return nodeName((event as { type: string }).type);
  }
}

/** Whether somebody who was not looking wants to know: not what happens all the time. */
export function isNews(event: FeedEvent): boolean {
  if (event.type === 'tip') return event.reorg !== null || event.afterSync;
  if (event.type === 'entry') return event.state === 'returned';
  return event.type === 'lab' || (event.type === 'peer' && event.state !== 'tip');
}

function describeBlock({ block }: EventOf<'block'>, hashText: (hash: string) => string): string {
  const { height, hash, miner, entries, status } = block;
  const by = miner === null ? '' : ` by ${nodeName(miner)}`;
  const holds = entries === null ? '' : `, ${plural(entries, 'entry', 'entries')}`;
  const place = { active: '', side: ', a side block', orphan: ', an orphan' }[status] ?? '';
  return `block ${count(height)} ${hashText(hash)}${by}${holds}${place}`;
}

function describeTip({ tip, reorg, connected, afterSync }: EventOf<'tip'>, hashText: (hash: string) => string): string {
  const { height, hash } = tip;
  if (reorg !== null) {
    const moved = `${plural(reorg.depth, 'block')} disconnected, ${count(connected)} connected`;
    const back =
      reorg.returned === null || reorg.returned === 0
        ? ''
        : `; ${plural(reorg.returned, 'entry', 'entries')} back in the mempool`;
    return `reorganisation after block ${count(reorg.fork.height)}: ${moved}; new tip ${count(height)}${back}`;
  }
  if (afterSync) return `synced ${plural(connected, 'block')}; new tip ${count(height)}`;
  return `new tip ${count(height)} ${hashText(hash)}`;
}

function describeEntries(
  { state, count: number, ids, block, from }: EventOf<'entry'>,
  hashText: (hash: string) => string,
): string {
  const [id] = ids;
  const what = number === 1 && id !== undefined ? `entry ${hashText(id)}` : plural(number, 'entry', 'entries');
  if (state === 'confirmed') return `${what} confirmed in block ${block === null ? '?' : count(block.height)}`;
  if (state === 'returned') return `${what} back in the mempool after a reorganisation`;
  return `${what} pending, ${from === null ? 'posted here' : `from ${nodeName(from)}`}`;
}

function describePeer({ state, id, tip, direction, address, reason }: EventOf<'peer'>): string {
  const name = nodeName(id);
  if (state === 'tip') return tip === null ? `${name} shows no tip` : `${name} is on block ${count(tip.height)}`;
  const about = [direction, address && nodeName(address)].filter(Boolean).join(', ');
  if (state === 'connected') return `connected to ${name}${about === '' ? '' : ` (${about})`}`;
  return `disconnected from ${name}${reason === null ? '' : `: ${printable(reason, MAX_TEXT)}`}`;
}

function describeMining(
  { state, parent, entries, block, end }: EventOf<'mining'>,
  hashText: (hash: string) => string,
): string {
  const height = count(parent.height + 1);
  if (state === 'started') return `searching for block ${height}, ${plural(entries, 'entry', 'entries')}`;
  if (state === 'found') return `found block ${height}${block === null ? '' : ` ${hashText(block.hash)}`}`;
  return `search for block ${height} ended${end === null ? '' : `: ${ENDS[end] ?? nodeName(end)}`}`;
}
