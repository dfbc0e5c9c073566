import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { silentLog } from '../../test/support/chain-builders.js';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { onHostNetwork, type HostNetwork } from '../../test/support/host-network.js';
import type { MemoryNetwork } from '../../test/support/memory-network.js';
import type { HostOptions, PeersHost } from '../../test/support/peers-host.js';
import type { VirtualClock } from '../../test/support/virtual-clock.js';
import { openDatabase } from '../storage/database.js';
import type { Channel } from './channel.js';
import { HostRanges } from './host-ranges.js';
import { PeerBook } from './peer-book.js';
import { PeerStore } from './peer.store.js';
import { Seeds } from './seeds.js';

const SEED = 'seed:9000';

describe('a bootstrap name that leads to several addresses', () => {
  let clock: VirtualClock;
  let net: MemoryNetwork;
  let hosts: PeersHost[];
  let openHost: HostNetwork['open'];
  onHostNetwork((network) => ({ clock, net, hosts, open: openHost } = network));

  const ip = (index: number): string => `10.0.0.${index}`;
  /** A node that knows the name alone, and listens on all interfaces, so that it cannot tell its own address. */
  const open = (index: number, options: HostOptions = {}): PeersHost =>
    openHost(ip(index), { nodeId: `node-${index}`, bootstrap: [SEED], advertised: ':9000', ...options });
  const isMeshed = (): boolean => hosts.every((host) => host.connected().length === hosts.length - 1);
  const addresses = (host: PeersHost): string[] => host.peers.list().map(({ address }) => address);

  it('brings together nodes that know nothing else, and stand behind it themselves', async () => {
    net.names.set('seed', [1, 2, 3, 4, 5].map(ip));
    for (let index = 1; index <= 5; index++) open(index);
    await clock.until('all are connected', isMeshed, 10_000);
    await clock.advance(120_000);
    expect(isMeshed()).toBe(true);
    for (const [index, host] of hosts.entries()) {
      const others = [1, 2, 3, 4, 5].filter((other) => other !== index + 1).map((other) => `${ip(other)}:9000`);
      expect(addresses(host).toSorted()).toEqual(others);
    }
  });

  it('is looked up for ever: nodes that come later are found, also after all others are gone', async () => {
    net.names.set('seed', [ip(1)]);
    const first = open(1);
    await clock.advance(300_000);
    expect(addresses(first)).toEqual([]);
    // They neither dial nor tell where they are.
    const silent = { bootstrap: [], advertised: '127.0.0.1:9000' };
    open(2, silent);
    net.names.set('seed', [1, 2].map(ip));
    await clock.until('the second is found', () => first.connected().join() === 'node-2', 16_000);
    hosts.pop()!.close();
    net.drop(ip(2));
    await clock.until('the second is lost', () => first.connected().length === 0, 30_000);
    open(3, silent);
    open(4, silent);
    net.names.set('seed', [1, 3, 4].map(ip));
    await clock.until('the next two are found', () => first.connected().join() === 'node-3,node-4', 16_000);
  });

  it('does not fill the book with addresses that are no more', async () => {
    net.names.set('seed', [ip(1)]);
    const host = open(1);
    for (let round = 0; round < 30; round++) {
      net.names.set('seed', [ip(1), ip(100 + 2 * round), ip(101 + 2 * round)]);
      await clock.advance(60_000);
    }
    net.names.set('seed', [ip(1)]);
    expect(addresses(host).length).toBeGreaterThan(2);
    expect(addresses(host)).not.toContain('10.0.0.100:9000');
    await clock.advance(15 * 60_000);
    expect(addresses(host)).toEqual([]);
  });

  it('as long as it leads to one, is dialled itself: also when that one has moved', async () => {
    net.names.set('seed', [ip(2)]);
    const [one, two] = [open(1), open(2, { bootstrap: [] })];
    await clock.until('they are connected', isMeshed, 10_000);
    expect(one.peers.list()).toMatchObject([{ id: 'node-2', connected: true, direction: 'outbound' }]);
    two.close();
    net.drop(ip(2));
    hosts.pop();
    net.names.set('seed', [ip(3)]);
    open(3, { nodeId: 'node-2', bootstrap: [], advertised: '127.0.0.1:9000' });
    await clock.until('they are connected again', isMeshed, 30_000);
  });

  it('is not dropped when it has led to ourselves, and not dialled all the time either', async () => {
    net.names.set('seed', [ip(1)]);
    const host = open(1);
    let dials = 0;
    net.listen(`${ip(1)}:9000`, (channel: Channel) => {
      dials += 1;
      host.peers.acceptInbound(channel);
    });
    await clock.advance(600_000);
    expect(dials).toBeGreaterThanOrEqual(8);
    expect(dials).toBeLessThanOrEqual(11);
    open(2, { bootstrap: [] });
    net.names.set('seed', [ip(2)]);
    await clock.until('the other one is found', isMeshed, 75_000);
  });

  it('that cannot be found is told once, and looked up again', async () => {
    const lines: { level: number; msg: string; address?: string; reason?: string }[] = [];
    const log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) });
    net.names.set('other', []);
    open(1, { log });
    await clock.advance(60_000);
    const told = lines.filter(({ msg }) => msg.startsWith('Cannot find seed'));
    expect(told.length).toBeGreaterThan(5);
    expect(told.map(({ level }) => level).filter((level) => level > 20)).toEqual([30]);
    expect(told[0]).toMatchObject({ address: SEED, reason: 'ENOTFOUND' });
    open(2, { bootstrap: [] });
    open(3, { bootstrap: [] });
    net.names.set('seed', [2, 3].map(ip));
    await clock.until('they are found', isMeshed, 20_000);
  });

  it('keeps nobody from other addresses while no DNS answers, and is of no use any more once the node has stopped', async () => {
    const dataDir = temporaryDirectory();
    open(2, { bootstrap: [] });
    const former = open(1, { bootstrap: [`${ip(2)}:9000`], dataDir });
    await clock.until('they are connected', isMeshed, 10_000);
    hosts.splice(hosts.indexOf(former), 1);
    former.close();

    const answers: ((ips: string[]) => void)[] = [];
    net.resolver = (_name) => new Promise((resolve) => answers.push(resolve));
    // The anchor is dialled once, first of all.
    net.partition([ip(1)], [ip(2)]);
    const lines: { level: number }[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) });
    const bootstrap = Array.from({ length: 12 }, (_, index) => `seed-${index}:9000`);
    const again = open(1, { bootstrap, dataDir, maxPeers: 8, log });
    const faults: unknown[] = [];
    again.faults.on((fault) => faults.push(fault));
    await clock.advance(1_000);
    net.heal();
    await clock.until('they are connected again', isMeshed, 10_000);
    expect(answers).toHaveLength(2);
    again.close();
    hosts.splice(hosts.indexOf(again), 1);
    for (const answer of answers) answer([3, 4].map(ip));
    await clock.advance(1_000);
    expect([lines, faults]).toEqual([[], []]);
  });

  it('brings no more than 32 addresses at a time, not always the same, and none that is none', async () => {
    const database = openDatabase(':memory:', silentLog);
    try {
      const store = new PeerStore(database, (error) => {
        throw error;
      });
      const book = new PeerBook({ store, clock, random: net.random, ranges: new HostRanges([]), bootstrap: [SEED] });
      const many = Array.from({ length: 200 }, (_, index) => `fd00::${index.toString(16)}`);
      const dialer = {
        dial: (): never => {
          throw new Error('not to be dialled');
        },
        resolve: async () => ['0.0.0.0', '::', 'fe80::1%eth0', ...many],
      };
      const seeds = new Seeds({ bootstrap: [SEED], book, dialer, clock, random: net.random, log: silentLog });
      expect(await seeds.lookUp(SEED)).toBe(false);
      expect(book.known).toHaveLength(32);
      for (let round = 0; round < 100; round++) await seeds.lookUp(SEED);
      expect(book.known.length).toBeGreaterThan(150);
      expect(book.known.every(({ address }) => /^\[fd00::[0-9a-f]*\]:9000$/.test(address))).toBe(true);
    } finally {
      database.close();
    }
  });

  it('is a host name, that of this machine excepted', () => {
    const dialer = { ...net.dialerOf('x'), resolve: async () => [] };
    const bootstrap = ['10.0.0.1:1', '[fd00::1]:1', 'localhost:1', 'a.example:1', 'b:1'];
    const seeds = new Seeds({ bootstrap, book: {} as PeerBook, dialer, clock, random: net.random, log: silentLog });
    expect([...bootstrap, 'learnt.example:1'].filter((address) => seeds.has(address))).toEqual(['a.example:1', 'b:1']);
  });
});
