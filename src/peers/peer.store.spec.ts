import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../test/support/chain-builders.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { openDatabase, type Database } from '../storage/database.js';
import { DatabaseBusyError } from '../storage/storage-errors.js';
import { PeerStore } from './peer.store.js';

const ban = (subject: string, untilMs: number) => ({ subject, untilMs, code: 'high-hash' });
const address = (name: string) => ({ address: name, source: 'learnt', nodeId: 'n', key: null, lastSeenMs: 1 });

describe('PeerStore', () => {
  let database: Database;
  let faults: Error[];
  let store: PeerStore;
  beforeEach(() => {
    database = openDatabase(temporaryDirectory(), silentLog);
    faults = [];
    store = new PeerStore(database, (error) => void faults.push(error));
  });
  afterEach(() => void database.close());

  it('writes what it could not write under the lock of another program once that is over', () => {
    store.saveBan(ban('host:a', 1));
    const other = new Sqlite(database.name);
    other.exec('BEGIN IMMEDIATE');
    store.saveBan(ban('host:a', 2));
    store.saveBan(ban('host:b', 3));
    store.deleteBan('host:b');
    store.saveBan(ban('host:c', 4));
    store.saveAddress(address('c:1'));
    store.saveAnchors(['c:1']);
    store.retry();
    expect(faults.every((error) => error instanceof DatabaseBusyError)).toBe(true);
    expect([faults.length, store.loadBans(0)]).toEqual([7, [ban('host:a', 1)]]);
    other.exec('ROLLBACK');
    other.close();
    store.retry();
    expect(store.loadBans(0)).toEqual([ban('host:a', 2), ban('host:c', 4)]);
    expect(store.loadAddresses()).toEqual([address('c:1')]);
    expect([faults.length, store.loadAnchors()]).toEqual([7, ['c:1']]);
  });

  it('writes what a full disk prevented together with the next row, and reports no fault in between', () => {
    database.pragma('query_only = 1');
    store.saveBan(ban('host:a', 1));
    for (let count = 0; count < 10; count++) store.retry();
    expect(faults).toHaveLength(1);
    database.pragma('query_only = 0');
    store.saveBan(ban('host:b', 2));
    expect(store.loadBans(0)).toHaveLength(2);
  });
});
