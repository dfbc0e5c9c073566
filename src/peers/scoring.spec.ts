import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../test/support/chain-builders.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { RULE_CODES } from '../consensus/rule-error.js';
import { openDatabase, type Database } from '../storage/database.js';
import { PeerStore } from './peer.store.js';
import { PENALTIES, Scoring } from './scoring.js';

const HOST = '10.0.0.7';
const MINUTE_MS = 60_000;

describe('Scoring', () => {
  let clock: VirtualClock;
  let database: Database;
  let faults: Error[];
  beforeEach(() => {
    clock = new VirtualClock();
    database = openDatabase(':memory:', silentLog);
    faults = [];
  });
  afterEach(() => void database.close());

  const open = (): Scoring => new Scoring(new PeerStore(database, (error) => void faults.push(error)), clock, 3_600);

  it('bans at 100, whom it has not banned before', () => {
    const scoring = open();
    for (let slip = 1; slip <= 4; slip++) {
      expect(scoring.penalise('n1', HOST, 'unexpected-message')).toBe(false);
      expect(scoring.score('n1', HOST)).toBe(20 * slip);
    }
    expect(scoring.isBanned('n1', HOST)).toBe(false);
    expect(scoring.penalise('n1', HOST, 'unrequested-data')).toBe(true);
    expect(scoring.isBanned('n1', HOST)).toBe(true);
    expect(scoring.bans).toHaveLength(1);
    expect(scoring.score('n1', HOST)).toBe(0);
  });

  it('bans at once for a broken consensus rule', () => {
    expect(open().penalise('n1', HOST, 'high-hash')).toBe(true);
  });

  it('forgives with time: a score halves in ten minutes', async () => {
    const scoring = open();
    for (let slip = 0; slip < 4; slip++) scoring.penalise('n1', HOST, 'unexpected-message');
    await clock.advance(10 * MINUTE_MS);
    expect(scoring.score('n1', HOST)).toBe(40);
    await clock.advance(10 * MINUTE_MS);
    expect(scoring.penalise('n1', HOST, 'unexpected-message')).toBe(false);
    expect(scoring.score('n1', HOST)).toBe(40);
  });

  it('never holds a clock or our own settings against a peer', () => {
    const scoring = open();
    for (let count = 0; count < 1_000; count++) {
      expect(scoring.penalise('n1', HOST, 'time-too-new')).toBe(false);
      expect(scoring.penalise('n1', HOST, 'checkpoint-mismatch')).toBe(false);
      expect(scoring.penalise('n1', HOST, 'bad-prevblk')).toBe(false);
    }
    expect(scoring.score('n1', HOST)).toBe(0);
  });

  it('lets bans expire', async () => {
    const scoring = open();
    scoring.penalise('n1', HOST, 'high-hash');
    await clock.advance(3_600_000 - 1);
    expect(scoring.isBanned('n1', HOST)).toBe(true);
    await clock.advance(1);
    expect(scoring.isBanned('n1', HOST)).toBe(false);
    expect(scoring.bans).toHaveLength(0);
    expect(scoring.penalise('n1', HOST, 'unexpected-message')).toBe(false);
  });

  it('means the host, under whatever name a peer comes from it; and not a name that came from elsewhere', () => {
    const scoring = open();
    scoring.penalise('n1', HOST, 'high-hash');
    expect(scoring.isBanned('n2', HOST)).toBe(true);
    expect(scoring.isBanned(undefined, HOST)).toBe(true);
    expect(scoring.isBanned('n1', '10.0.0.8')).toBe(false);
    expect(scoring.isBanned('n1', '127.0.0.1')).toBe(false);
  });

  it('spares this machine, where all nodes of a local cluster are: there the node id is meant', () => {
    const scoring = open();
    for (const host of ['127.0.0.1', '::1']) expect(scoring.penalise(undefined, host, 'high-hash')).toBe(false);
    expect(scoring.penalise('n1', '127.0.0.1', 'high-hash')).toBe(true);
    expect(scoring.isBanned('n1', '::1')).toBe(true);
    expect(scoring.isBanned('n2', '127.0.0.1')).toBe(false);
    expect(scoring.isBanned(undefined, '127.0.0.1')).toBe(false);
    expect(scoring.isBanned('n1', HOST)).toBe(false);
  });

  it('remembers bans over a restart, until they are over', async () => {
    database.close();
    const directory = temporaryDirectory();
    database = openDatabase(directory, silentLog);
    open().penalise('n1', HOST, 'high-hash');
    database.close();
    database = openDatabase(directory, silentLog);
    expect(open().isBanned('n1', HOST)).toBe(true);
    await clock.advance(3_600_000);
    const scoring = open();
    expect(scoring.isBanned('n1', HOST)).toBe(false);
    expect(database.prepare('SELECT count(*) FROM bans').pluck().get()).toBe(0);
  });

  it('lifts bans on disk too, by node id, host or subject, and forgets the score', () => {
    const scoring = open();
    scoring.penalise('n1', HOST, 'high-hash');
    scoring.penalise('n2', '127.0.0.1', 'high-hash');
    scoring.penalise('n3', '10.0.0.9', 'unexpected-message');
    expect(scoring.bans.map(({ subject, code }) => [subject, code])).toEqual([
      [`host:${HOST}`, 'high-hash'],
      ['node:n2', 'high-hash'],
    ]);
    expect(scoring.pardon('n1')).toEqual([]);
    expect(scoring.pardon(HOST)).toHaveLength(1);
    expect(scoring.pardon('node:n2')).toHaveLength(1);
    scoring.pardon('10.0.0.9');
    expect([scoring.isBanned('n1', HOST), scoring.score('n3', '10.0.0.9')]).toEqual([false, 0]);
    expect(open().bans).toEqual([]);
  });

  it('bans in memory when the disk does not take it, and tells of the fault', () => {
    const scoring = open();
    database.exec('DROP TABLE bans');
    expect(scoring.penalise('n1', HOST, 'high-hash')).toBe(true);
    expect(scoring.isBanned('n1', HOST)).toBe(true);
    expect(faults.map(({ message }) => message)).toContain('no such table: bans');
  });

  describe.each([-5 * 60_000, -24 * 3_600_000, 24 * 3_600_000])('when the wall clock jumps by %i ms', (jumpMs) => {
    it('forgets nothing and adds nothing', async () => {
      const scoring = open();
      scoring.penalise('n1', HOST, 'unexpected-message');
      clock.jumpWall(jumpMs);
      expect(scoring.score('n1', HOST)).toBe(20);
      await clock.advance(10 * 60_000);
      expect(scoring.score('n1', HOST)).toBe(10);
    });

    it('ends a ban after its time, and shows its end by the clock as it is then', async () => {
      const scoring = open();
      scoring.penalise('n1', HOST, 'high-hash');
      clock.jumpWall(jumpMs);
      // Another ban sweeps out the bans that are over.
      scoring.penalise('n2', '10.0.0.9', 'high-hash');
      await clock.advance(3_599_999);
      expect(scoring.isBanned('n1', HOST)).toBe(true);
      expect(scoring.bans.map(({ untilMs }) => untilMs)).toEqual([clock.nowMs() + 1, clock.nowMs() + 1]);
      await clock.advance(1);
      expect(scoring.isBanned('n1', HOST)).toBe(false);
      scoring.penalise('n3', '10.0.0.8', 'high-hash');
      expect(database.prepare('SELECT subject FROM bans').pluck().all()).toEqual(['host:10.0.0.8']);
    });
  });

  it('does not prolong a ban over a start if the clock was set back by a day, nor anew at each start', async () => {
    open().penalise('n1', HOST, 'high-hash');
    clock.jumpWall(-24 * 3_600_000);
    expect(open().isBanned('n1', HOST)).toBe(true);
    await clock.advance(3_599_000);
    const scoring = open();
    expect(scoring.isBanned('n1', HOST)).toBe(true);
    await clock.advance(1_000);
    expect([scoring.isBanned('n1', HOST), open().isBanned('n1', HOST)]).toEqual([false, false]);
  });

  it('does not grow with the number of hosts that misbehave', () => {
    const scoring = open();
    scoring.penalise('x', 'first', 'unexpected-message');
    for (let host = 0; host < 10_000; host++) scoring.penalise('x', `h${host}`, 'unexpected-message');
    expect(scoring.score('x', 'first')).toBe(0);
    expect(scoring.score('x', 'h9999')).toBe(20);
  });
});

describe('PENALTIES', () => {
  it('has a number for every rule code, 0 to 100', () => {
    for (const code of RULE_CODES) expect(PENALTIES[code], code).toBeTypeOf('number');
    for (const points of Object.values(PENALTIES)) expect(points >= 0 && points <= 100).toBe(true);
    expect(Object.keys(PENALTIES).slice(RULE_CODES.length)).toEqual([
      'malformed-message',
      'oversized-message',
      'wrong-proof',
      'unexpected-message',
      'unrequested-data',
      'too-many-messages',
      'unproven-work',
      'stalling',
      'low-work-headers',
    ]);
  });
});
