import { describe, expect, it } from 'vitest';
import type { FeedEvent } from '../../events/event-schemas.js';
import { describeEvent, isNews } from './describe-event.js';

const H = 'ab'.repeat(32);
const place = { height: 12, hash: H };
const tip = { ...place, chainWork: H };
const block = {
  ...place,
  previousHash: H,
  status: 'active',
  miner: 'node-2',
  entries: 3,
  receivedMs: 1,
  chainWork: H,
} as const;
const entry = { type: 'entry' as const, atMs: 1, count: 1, ids: [H], block: null, from: null };
const peer = { type: 'peer', atMs: 1, id: 'node-2', tip: null, direction: null, address: null, reason: null } as const;
const mining = {
  type: 'mining',
  atMs: 1,
  parent: place,
  entries: 0,
  reason: 'request',
  block: null,
  end: null,
} as const;
const moved = { type: 'tip', atMs: 1, tip, previous: place, connected: 3, reorg: null, afterSync: false } as const;
const sync = {
  type: 'sync',
  atMs: 1,
  state: 'blocks',
  progress: 0.451,
  height: 4_510,
  targetHeight: 10_000,
  blocksPerSecond: 0,
  etaSeconds: null,
  peer: null,
} as const;

const CASES: readonly [string, FeedEvent][] = [
  ['block 12 HASH by node-2, 3 entries', { type: 'block', atMs: 1, block }],
  ['block 12 HASH by node-2, 3 entries, a side block', { type: 'block', atMs: 1, block: { ...block, status: 'side' } }],
  [
    'block 12 HASH, an orphan',
    { type: 'block', atMs: 1, block: { ...block, status: 'orphan', miner: null, entries: null } },
  ],
  ['new tip 12 HASH', moved],
  ['synced 3 blocks; new tip 12', { ...moved, afterSync: true }],
  [
    'reorganisation after block 12: 2 blocks disconnected, 3 connected; new tip 12; 1 entry back in the mempool',
    { ...moved, reorg: { depth: 2, fork: place, returned: 1 } },
  ],
  ['entry HASH pending, posted here', { ...entry, state: 'pending' }],
  ['1,200 entries pending, from node-3', { ...entry, state: 'pending', count: 1_200, from: 'node-3' }],
  ['entry HASH confirmed in block 12', { ...entry, state: 'confirmed', block: place }],
  ['entry HASH back in the mempool after a reorganisation', { ...entry, state: 'returned' }],
  ['connected to node-2 (inbound, [::1]:9)', { ...peer, state: 'connected', direction: 'inbound', address: '[::1]:9' }],
  ['disconnected from node-2: it said bye\\u{7}', { ...peer, state: 'disconnected', reason: 'it said bye\u0007' }],
  ['node-2 is on block 12', { ...peer, state: 'tip', tip }],
  ['searching for block 13, 0 entries', { ...mining, state: 'started' }],
  ['found block 13 HASH', { ...mining, state: 'found', block: place }],
  ['search for block 13 ended: the tip changed', { ...mining, state: 'cancelled', end: 'stale' }],
  ['sync: blocks 45 %, 4,510 of 10,000', sync],
  ['sync ended', { ...sync, state: 'idle' }],
  ['Network whole\\u{202e}', { type: 'lab', atMs: 1, change: 'heal', text: 'Network whole\u202e' }],
  ['events were missed', { type: 'reset', atMs: 1, id: 'x-1' }],
];

describe('describeEvent', () => {
  it.each(CASES)('%s', (text, event) => expect(describeEvent(event, () => 'HASH')).toBe(text));

  it('writes hashes in full where nothing else is asked for', () => {
    expect(describeEvent(moved)).toBe(`new tip 12 ${H}`);
  });

  it('names what a newer node tells', () => {
    const unknown = { type: 'weather', atMs: 1 } as unknown as FeedEvent;
    expect([describeEvent(unknown), isNews(unknown)]).toEqual(['weather', false]);
  });

  it('tells what is news from what happens all the time', () => {
    const news = CASES.filter(([, event]) => isNews(event)).map(([text]) => text.split(' ')[0]);
    expect(news).toEqual(['synced', 'reorganisation', 'entry', 'connected', 'disconnected', 'Network']);
  });
});
