import pino from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { BlockDamagedError } from '../chain/chain.store.js';
import { ChainEvents } from '../chain/chain.events.js';
import type { BlockNode } from '../consensus/block-tree.js';
import type { ChainService } from '../chain/chain.service.js';
import type { PeersEventMap, PeersService } from '../peers/peers.service.js';
import { EventHub } from '../common/event-hub.js';
import { Faults } from '../common/faults.js';
import { openDatabase, type Database } from '../storage/database.js';
import { HealthService } from './health.service.js';
import { StorageWatch } from '../storage/storage-watch.js';
import { HealthStore } from './health.store.js';

let clock: VirtualClock;
let database: Database;
let chainEvents: ChainEvents;
let peerEvents: EventHub<PeersEventMap>;
let faults: Faults;
let sync: { height: number; targetHeight: number; isCatchingUp: boolean };
let damagedBlocks: Set<{ readonly height: number }>;
let health: HealthService;

beforeEach(() => {
  clock = new VirtualClock();
  database = openDatabase(':memory:', pino({ level: 'silent' }));
  faults = new Faults(pino({ level: 'silent' }), new Registry());
  chainEvents = new ChainEvents(faults.report);
  peerEvents = new EventHub(faults.report);
  sync = { height: 10, targetHeight: 10, isCatchingUp: false };
  damagedBlocks = new Set();
  const chain = { events: chainEvents, damagedBlocks } as unknown as ChainService;
  const peers = {
    events: peerEvents,
    syncStatus: () => sync,
    get isCatchingUp() {
      return sync.isCatchingUp;
    },
  } as unknown as PeersService;
  const watch = new StorageWatch(database, clock, pino({ level: 'silent' }), faults);
  health = new HealthService(clock, chain, peers, faults, new HealthStore(database), watch);
  health.onApplicationBootstrap();
});

afterEach(() => database.close());

/** Stands for any block that was stored. */
function storeBlock(): void {
  chainEvents.emit('block', {} as never);
}

describe('HealthService', () => {
  it('is unready until the servers listen, and when they stop', () => {
    expect(health.reasons()).toEqual(['listening: the servers do not listen yet']);
    health.setReady('listening', true);
    expect(health.reasons()).toEqual([]);
    health.beforeApplicationShutdown();
    expect(health.reasons()).toEqual(['shutdown: the node is shutting down']);
  });

  it('names every reason', () => {
    health.setReady('disk', false, 'slow');
    health.setReady('disk', false, 'slower');
    expect(health.reasons()).toEqual(['listening: the servers do not listen yet', 'disk: slower']);
  });

  it('is unready while it catches up from far behind, not for a few blocks, and not for blocks that never come', () => {
    health.setReady('listening', true);
    sync = { height: 10, targetHeight: 34, isCatchingUp: true };
    expect(health.reasons()).toEqual([]);
    sync = { height: 10, targetHeight: 35, isCatchingUp: true };
    expect(health.reasons()).toEqual(['sync: 25 blocks behind']);
    sync = { height: 10, targetHeight: 35, isCatchingUp: false };
    expect(health.reasons()).toEqual([]);
  });

  it('is unready after a fault until a later block is stored', () => {
    health.setReady('listening', true);
    faults.report(new Error('database or disk is full'));
    expect(health.reasons()).toEqual(['storage: the last write failed: database or disk is full']);
    storeBlock();
    expect(health.reasons()).toEqual([]);
  });

  it('is ready again without traffic, half a minute after the last fault', async () => {
    health.setReady('listening', true);
    faults.report(new Error('full'));
    await clock.advance(20_000);
    expect(health.reasons()).toHaveLength(1);
    faults.report(new Error('full'));
    await clock.advance(29_999);
    expect(health.reasons()).toHaveLength(1);
    await clock.advance(5_001);
    expect(health.reasons()).toEqual([]);
  });

  it('is unready while a stored block is damaged', () => {
    health.setReady('listening', true);
    const node = { height: 7 } as BlockNode;
    damagedBlocks.add(node);
    faults.report(new BlockDamagedError(node, 'node.db', 'a bit flipped'));
    chainEvents.emit('damaged', node);
    expect(health.reasons()).toEqual([expect.stringMatching(/^blocks: stored blocks are damaged.*: 7$/)]);
    damagedBlocks.clear();
    chainEvents.emit('mended', node);
    expect(health.reasons()).toEqual([]);
  });

  it('finds out by itself that the database takes no writes', async () => {
    health.setReady('listening', true);
    expect(health.reasons()).toEqual([]);
    database.pragma('query_only = ON');
    await clock.advance(5_000);
    expect(health.reasons()).toEqual([expect.stringMatching(/^storage: the last write failed: .*readonly/)]);
    database.pragma('query_only = OFF');
    await clock.advance(30_000);
    expect(health.reasons()).toEqual([]);
  });

  it('probes the database at most every 5 s, however often it is asked', async () => {
    health.reasons();
    const probes = () => database.prepare(`SELECT value FROM meta WHERE key = 'health_probe_ms'`).pluck().get();
    const first = probes();
    await clock.advance(4_999);
    health.reasons();
    expect(probes()).toBe(first);
    await clock.advance(1);
    health.reasons();
    expect(probes()).toBe(clock.nowMs());
  });

  it('tells listeners of every change, and of nothing else', () => {
    const told: boolean[] = [];
    health.onChange((ready) => told.push(ready));
    health.setReady('a', false);
    health.setReady('a', true);
    health.setReady('listening', true);
    health.setReady('listening', true);
    sync = { height: 0, targetHeight: 5000, isCatchingUp: true };
    peerEvents.emit('catchingUp', true);
    sync = { height: 5000, targetHeight: 5000, isCatchingUp: false };
    peerEvents.emit('catchingUp', false);
    faults.report(new Error('full'));
    storeBlock();
    expect(told).toEqual([false, true, false, true, false, true]);
  });
});
