import { beforeEach, describe, expect, it } from 'vitest';
import { genesisNode, mineOn, nodeOf } from '../../test/support/chain-builders.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { EventHub } from '../common/event-hub.js';
import type { MinerEventMap } from '../miner/miner.events.js';
import type { ToldEvent } from './event-feed.js';
import { feedEventSchema } from './event-schemas.js';
import { MiningReports } from './mining-reports.js';

const parent = genesisNode();
const started = { parent, entries: 2, reason: 'own-entries' } as const;
const block = nodeOf(mineOn(parent), parent);

let clock: VirtualClock;
let miner: EventHub<MinerEventMap>;
let reports: MiningReports;
let told: ToldEvent[];

function states(): string[] {
  return told.splice(0).map((event) => (event.type === 'mining' ? event.state : event.type));
}

beforeEach(() => {
  clock = new VirtualClock();
  told = [];
  miner = new EventHub((error) => {
    throw error;
  });
  reports = new MiningReports({ events: miner }, clock, (event) => {
    feedEventSchema.parse({ ...event, atMs: 0 });
    told.push(event);
  });
});

describe('MiningReports', () => {
  it('tells of a search and of how it ended', async () => {
    const place = { height: parent.height, hash: parent.hash };
    const common = { type: 'mining', parent: place, entries: 2, reason: 'own-entries' };
    miner.emit('started', started);
    miner.emit('found', { node: block, entries: 2 });
    await clock.advance(1_000);
    miner.emit('started', started);
    miner.emit('cancelled', { ...started, end: 'stale' });
    expect(told).toEqual([
      { ...common, state: 'started', block: null, end: null },
      { ...common, state: 'found', block: { height: 1, hash: block.hash }, end: null },
      { ...common, state: 'started', block: null, end: null },
      { ...common, state: 'cancelled', block: null, end: 'stale' },
    ]);
  });

  it('tells of ten searches a second at the most, each with its end', async () => {
    for (let i = 0; i < 1_000; i++) {
      miner.emit('started', started);
      miner.emit('found', { node: block, entries: 2 });
      await clock.advance(1);
    }
    const seen = states();
    expect(seen).toHaveLength(20);
    expect(seen).toEqual(Array.from({ length: 10 }, () => ['started', 'found']).flat());
  });

  it('tells of a search that lasts, also when it began right after another', async () => {
    miner.emit('started', started);
    miner.emit('cancelled', { ...started, end: 'refreshed' });
    miner.emit('started', started);
    expect(states()).toEqual(['started', 'cancelled']);
    await clock.advance(100);
    expect(states()).toEqual(['started']);
    miner.emit('found', { node: block, entries: 2 });
    expect(states()).toEqual(['found']);
  });

  it('tells nothing after its end', async () => {
    miner.emit('started', started);
    miner.emit('cancelled', { ...started, end: 'refreshed' });
    miner.emit('started', started);
    told.splice(0);
    reports.stop();
    await clock.advance(1_000);
    miner.emit('found', { node: block, entries: 2 });
    expect(told).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
