import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { EventHub } from '../common/event-hub.js';
import type { PeersEventMap } from '../peers/peers.service.js';
import type { SyncStatus } from '../peers/sync.js';
import type { ToldEvent } from './event-feed.js';
import { feedEventSchema } from './event-schemas.js';
import { PeerReports } from './peer-reports.js';

const HASH = 'ab'.repeat(32);
const tipAt = (height: number): PeersEventMap['tip']['tip'] => ({ length: height + 1, chainWork: 255n, hash: HASH });
const shown = (height: number): object => ({ height, hash: HASH, chainWork: `${'0'.repeat(62)}ff` });
const nothing = { tip: null, direction: null, address: null, reason: null };

let clock: VirtualClock;
let peers: EventHub<PeersEventMap>;
let reports: PeerReports;
let told: ToldEvent[];
let status: SyncStatus;
let ended: number;

beforeEach(() => {
  clock = new VirtualClock();
  [told, ended] = [[], 0];
  status = { state: 'idle', progress: 1, height: 0, targetHeight: 0, blocksPerSecond: 0, etaSeconds: null, peer: null };
  peers = new EventHub((error) => {
    throw error;
  });
  const tell = (event: ToldEvent): void => {
    feedEventSchema.parse({ ...event, atMs: 0 });
    told.push(event);
  };
  reports = new PeerReports({ events: peers, syncStatus: () => status }, clock, tell, () => (ended += 1));
});

function sync(state: SyncStatus['state'], height = 0): void {
  status = { ...status, state, height };
  peers.emit('sync', state);
}

describe('PeerReports', () => {
  it('tells of sessions', () => {
    peers.emit('connected', { nodeId: 'n2', direction: 'inbound', address: '127.0.0.1:9092', tip: tipAt(3) });
    peers.emit('disconnected', { nodeId: 'n2', reason: 'x'.repeat(100_000) });
    const common = { type: 'peer', id: 'n2', ...nothing };
    expect(told).toEqual([
      { ...common, state: 'connected', direction: 'inbound', address: '127.0.0.1:9092', tip: shown(3) },
      { ...common, state: 'disconnected', reason: 'x'.repeat(200) },
    ]);
  });

  it('tells of the tips of each peer four times a second at the most, and always of the last', async () => {
    for (let height = 1; height <= 100; height++) {
      peers.emit('tip', { nodeId: 'n2', tip: tipAt(height) });
      peers.emit('tip', { nodeId: 'n3', tip: tipAt(height + 1) });
      await clock.advance(10);
    }
    await clock.advance(1_000);
    expect(told.length).toBeLessThanOrEqual(12);
    expect(told.slice(-2)).toEqual([
      { type: 'peer', state: 'tip', ...nothing, id: 'n2', tip: shown(100) },
      { type: 'peer', state: 'tip', ...nothing, id: 'n3', tip: shown(101) },
    ]);
  });

  it('does not tell of the tip of a peer that has gone', async () => {
    peers.emit('tip', { nodeId: 'n2', tip: tipAt(1) });
    peers.emit('tip', { nodeId: 'n2', tip: tipAt(2) });
    peers.emit('disconnected', { nodeId: 'n2', reason: 'gone' });
    await clock.advance(1_000);
    expect(told.map((event) => event.type === 'peer' && event.state)).toEqual(['tip', 'disconnected']);
  });

  it('tells of a sync that lasts, four times a second, and of its end', async () => {
    sync('headers');
    await clock.advance(100);
    sync('blocks', 10);
    await clock.advance(900);
    sync('idle', 50);
    await clock.advance(5_000);
    const seen = told.map((event) => event.type === 'sync' && [event.state, event.height]);
    expect(seen).toEqual([
      ['blocks', 10],
      ['blocks', 10],
      ['blocks', 10],
      ['blocks', 10],
      ['idle', 50],
    ]);
    expect(ended).toBe(1);
  });

  it('does not tell of a short sync, only of its end where that belongs', async () => {
    for (let i = 0; i < 10; i++) {
      sync('headers');
      sync('blocks');
      await clock.advance(100);
      sync('idle');
    }
    await clock.advance(1_000);
    expect(told).toEqual([]);
    expect(ended).toBe(10);
    expect(clock.pendingTimers).toBe(0);
  });

  it('tells nothing after its end', async () => {
    sync('blocks');
    peers.emit('tip', { nodeId: 'n2', tip: tipAt(1) });
    peers.emit('tip', { nodeId: 'n2', tip: tipAt(2) });
    told.splice(0);
    reports.stop();
    await clock.advance(1_000);
    peers.emit('disconnected', { nodeId: 'n2', reason: 'gone' });
    expect(told).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});
