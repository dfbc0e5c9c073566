import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../test/support/chain-builders.js';
import { SeededRandom } from '../../test/support/seeded-random.js';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { openDatabase, type Database } from '../storage/database.js';
import { HostRanges } from './host-ranges.js';
import { PeerBook } from './peer-book.js';
import { PeerStore } from './peer.store.js';

/** Loopback: what it tells is not counted. */
const TELLER = '127.0.0.1';
const node = (name: string): { key: string; nodeId: string } => ({ key: name, nodeId: name });
const ranges = new HostRanges(['10.0.0.0/8']);
const DAY_MS = 24 * 60 * 60 * 1000;

describe('PeerBook', () => {
  let clock: VirtualClock;
  let database: Database;
  let random: { next: () => number; bytes: () => Uint8Array };
  beforeEach(() => {
    clock = new VirtualClock();
    database = openDatabase(':memory:', silentLog);
    random = { next: () => 0.5, bytes: () => new Uint8Array() };
  });
  afterEach(() => void database.close());

  const open = (...bootstrap: string[]): PeerBook => {
    const store = new PeerStore(database, (error) => {
      throw error;
    });
    return new PeerBook({ store, clock, random, ranges, bootstrap });
  };
  const due = (book: PeerBook, isUnwanted: Parameters<PeerBook['due']>[0] = () => false): string[] =>
    book.due(isUnwanted).map(({ address }) => address);
  const addresses = (book: PeerBook): string[] => book.known.map(({ address }) => address);
  /** Dials the address whenever it is due, in vain, and gives the pauses in between. */
  const pauses = async (book: PeerBook, address: string, count: number): Promise<number[]> => {
    const result: number[] = [];
    while (result.length < count) {
      book.dialling(address);
      const sinceMs = clock.nowMs();
      while (!due(book).includes(address)) {
        if (!addresses(book).includes(address)) return result;
        await clock.advance(25);
      }
      result.push(clock.nowMs() - sinceMs);
    }
    return result;
  };

  describe('dialling', () => {
    it('begins with all bootstrap nodes, then the learnt ones', () => {
      const book = open('b1:1', 'b2:1');
      book.learn('l:1', TELLER);
      expect(due(book)).toEqual(['b1:1', 'b2:1', 'l:1']);
    });

    it('backs off by doubling pauses, for bootstrap nodes up to ten seconds and for ever', async () => {
      const book = open('b:1');
      expect(await pauses(book, 'b:1', 9)).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
      for (let dial = 0; dial < 2_000; dial++) book.dialling('b:1');
      expect(addresses(book)).toEqual(['b:1']);
      await clock.advance(10_000);
      expect(due(book)).toEqual(['b:1']);
    });

    it('spreads the pauses by half of them either way', async () => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const seeded = new SeededRandom(seed);
      for (let round = 0; round < 200; round++) {
        random.next = () => seeded.next();
        const book = open('b:1');
        book.dialling('b:1');
        await clock.advance(124);
        expect(due(book), `seed ${seed}`).toEqual([]);
        await clock.advance(375 - 124);
        expect(due(book), `seed ${seed}`).toEqual(['b:1']);
      }
    });

    it('forgets a learnt address where nobody ever answered after ten dials', async () => {
      const book = open();
      book.learn('l:1', TELLER);
      const waits = await pauses(book, 'l:1', 99);
      expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000]);
      expect(addresses(book)).toEqual([]);
    });

    it('goes on at a learnt address that did answer once, every minute, for a week of silence', async () => {
      const book = open();
      book.reached('l:1', node('n1'));
      const waits = await pauses(book, 'l:1', 12);
      expect(waits.slice(-2)).toEqual([60_000, 60_000]);
      await clock.advance(7 * DAY_MS);
      book.dialling('l:1');
      expect(addresses(book)).toEqual([]);
      expect(addresses(open())).toEqual([]);
    });

    it('leaves out who is connected, and takes one address of each node', () => {
      const book = open('b:1');
      for (const address of ['x:1', 'y:1']) book.reached(address, node('n1'));
      book.reached('z:1', node('n2'));
      expect(due(book)).toEqual(['b:1', 'x:1', 'z:1']);
      expect(due(book, ({ key }) => key === 'n1')).toEqual(['b:1', 'z:1']);
      expect(due(book, ({ address }) => address === 'b:1')).toEqual(['x:1', 'z:1']);
    });
  });

  describe('a session', () => {
    it('that had lasted begins the back-off anew when it ends', async () => {
      const book = open('b:1');
      for (let dial = 0; dial < 6; dial++) book.dialling('b:1');
      book.reached('b:1', node('n1'));
      expect(due(book)).toEqual([]);
      book.lost('n1');
      expect(due(book)).toEqual([]);
      await clock.advance(250);
      expect(due(book)).toEqual(['b:1']);
      expect((await pauses(book, 'b:1', 2))[0]).toBe(250);
    });

    it('does not, by beginning, undo the back-off: a node that takes us and drops us is not dialled over and over', async () => {
      const book = open('b:1');
      const begin = clock.nowMs();
      let dials = 0;
      for (; clock.nowMs() - begin < 60_000; await clock.advance(50)) {
        if (!due(book).includes('b:1')) continue;
        book.dialling('b:1');
        book.reached('b:1', node('n1'));
        dials += 1;
      }
      expect(dials).toBeLessThan(15);
    });

    it('notes when its node was last seen', async () => {
      const book = open();
      book.reached('l:1', node('n1'));
      const reachedMs = clock.nowMs();
      expect(book.known[0]).toMatchObject({ nodeId: 'n1', lastSeenMs: reachedMs });
      await clock.advance(5_000);
      book.lost('n1');
      expect(book.known[0]!.lastSeenMs).toBe(reachedMs + 5_000);
    });
  });

  describe('addresses', () => {
    it('heard of are taken once', () => {
      const book = open('b:1');
      expect(book.learn('l:1', TELLER)).toBe(true);
      for (const address of ['l:1', 'b:1', `${'x'.repeat(300)}:1`]) expect(book.learn(address, TELLER)).toBe(false);
      expect(addresses(book)).toEqual(['b:1', 'l:1']);
    });

    it('of our own are never kept, from wherever they come', () => {
      const book = open('me:1');
      book.noteOwn('me:1');
      expect(book.learn('me:1', TELLER)).toBe(false);
      book.claimed('me:1', 'n1', TELLER);
      expect(addresses(book)).toEqual([]);
    });

    it('are bounded in number: what failed most often makes room, what answered never', () => {
      const book = open('b:1');
      book.reached('good:1', node('n1'));
      for (let index = 0; index < 998; index++) book.learn(`l${index}:1`, TELLER);
      expect(book.size).toBe(1_000);
      expect(book.learn('new:1', TELLER)).toBe(false);
      for (const address of ['b:1', 'good:1', 'l5:1', 'l7:1', 'l7:1', 'l9:1']) book.dialling(address);
      expect(book.learn('new:1', TELLER)).toBe(true);
      expect(addresses(book)).not.toContain('l7:1');
      for (let index = 0; index < 10; index++) book.learn(`other${index}:1`, TELLER);
      expect(book.size).toBe(1_000);
      expect(addresses(book)).toEqual(expect.arrayContaining(['b:1', 'good:1', 'l0:1']));
    });

    it('claimed by a connected node are dialled last, and are not believed', async () => {
      const book = open('b:1');
      book.learn('heard:1', TELLER);
      book.reached('known:1', node('n1'));
      for (const address of ['b:1', 'known:1', 'new:1']) book.claimed(address, 'liar', TELLER);
      expect(due(book)).toEqual(['b:1', 'known:1', 'heard:1']);
      expect(book.known.find(({ address }) => address === 'new:1')).toMatchObject({
        key: undefined,
        nodeId: undefined,
      });
      await clock.advance(10_000);
      expect(due(book)).toEqual(['b:1', 'known:1', 'heard:1', 'new:1']);
      expect(addresses(open())).toEqual(['known:1']);
    });
  });

  describe.each([-5 * 60_000, -24 * 3_600_000, 24 * 3_600_000])('when the wall clock jumps by %i ms', (jumpMs) => {
    it('dials again after the back-off, no earlier and no later', async () => {
      const book = open('b:1');
      book.dialling('b:1');
      clock.jumpWall(jumpMs);
      expect(due(book)).toEqual([]);
      await clock.advance(400);
      expect(due(book)).toEqual(['b:1']);
    });

    it('forgets no address for a silence that was not', async () => {
      const book = open();
      book.reached('l:1', node('n1'));
      for (let jumps = 0; jumps < 12; jumps++) {
        clock.jumpWall(jumpMs);
        book.dialling('l:1');
      }
      expect(addresses(book)).toEqual(['l:1']);
    });
  });

  it('takes an address that answered in the future, by a clock set back since, for one that answered now', async () => {
    open().reached('l:1', node('n1'));
    clock.jumpWall(-10 * 24 * 3_600_000);
    const book = open();
    for (let dials = 0; dials < 12; dials++) book.dialling('l:1');
    expect(addresses(book)).toEqual(['l:1']);
    await clock.advance(7 * 24 * 3_600_000 + 1);
    book.dialling('l:1');
    expect(addresses(book)).toEqual([]);
  });

  describe('anchors', () => {
    it('are dialled first after a start, once, whatever else has come into the book', () => {
      const book = open('boot:1');
      for (const name of ['a', 'b', 'c']) book.reached(`${name}:1`, node(name));
      book.holdAnchors(['c:1', 'b:1', 'a:1']);
      for (let index = 0; index < 500; index++) book.reached(`evil${index}:1`, node(`evil${index}`));
      const again = open('boot:1');
      expect(due(again).slice(0, 3)).toEqual(['b:1', 'c:1', 'boot:1']);
      again.dialling('c:1');
      again.lost('c');
      expect(due(again)[0]).toBe('b:1');
    });

    it('keep their place while there are no others', () => {
      const book = open();
      for (const name of ['a', 'b', 'c']) book.reached(`${name}:1`, node(name));
      book.holdAnchors(['a:1', 'b:1']);
      book.holdAnchors([]);
      book.holdAnchors(['c:1']);
      expect(due(open())).toEqual(['a:1', 'c:1', 'b:1']);
    });
  });

  describe('on disk', () => {
    it('keeps what answered, for the next start', async () => {
      const book = open('b:1');
      book.learn('never:1', TELLER);
      book.reached('b:1', node('n1'));
      await clock.advance(1_000);
      book.reached('l:1', node('n2'));
      const again = open('b:1', 'c:1');
      expect(again.known.map(({ address, source, nodeId }) => [address, source, nodeId])).toEqual([
        ['l:1', 'learnt', 'n2'],
        ['b:1', 'bootstrap', 'n1'],
        ['c:1', 'bootstrap', undefined],
      ]);
      expect(again.known[0]!.lastSeenMs).toBe(clock.nowMs());
    });

    it('treats an address that is no longer in the configuration as a learnt one', () => {
      open('b:1').reached('b:1', node('n1'));
      expect(open().known).toMatchObject([{ address: 'b:1', source: 'learnt' }]);
    });

    it('forgets our own address', () => {
      const book = open();
      book.reached('me:1', node('me'));
      book.noteOwn('me:1');
      expect(addresses(open())).toEqual([]);
    });
  });

  describe('a node that moves about', () => {
    const learnt = (book: PeerBook, nodeId: string): string[] =>
      book.known.flatMap(({ address, nodeId: id }) => (id === nodeId ? address : []));

    it('keeps its latest four addresses where it answered, on disk too', async () => {
      const book = open('b:1');
      book.reached('b:1', node('n'));
      for (let move = 1; move <= 10; move++) {
        await clock.advance(1_000);
        book.reached(`10.0.0.${move}:1`, node('n'));
        book.lost('n');
      }
      const latest = ['10.0.0.7:1', '10.0.0.8:1', '10.0.0.9:1', '10.0.0.10:1'];
      expect(learnt(book, 'n').toSorted()).toEqual(['b:1', ...latest].toSorted());
      expect(addresses(open()).toSorted()).toEqual(['b:1', ...latest].toSorted());
    });

    it('keeps the latest four where it only says that it is', () => {
      const book = open();
      book.reached('10.0.0.1:1', node('n'));
      book.reached('10.0.0.1:2', node('other'));
      for (let move = 2; move <= 10; move++) book.claimed(`10.0.0.${move}:1`, 'n', TELLER);
      expect(learnt(book, 'n')).toEqual(['10.0.0.1:1']);
      expect(addresses(book)).toEqual(['10.0.0.1:1', '10.0.0.1:2', ...[7, 8, 9, 10].map((host) => `10.0.0.${host}:1`)]);
      expect(learnt(book, 'other')).toEqual(['10.0.0.1:2']);
    });

    it('keeps an anchor, however many addresses are given for its node since', () => {
      const book = open();
      book.reached('10.0.0.1:1', node('n'));
      book.holdAnchors(['10.0.0.1:1']);
      for (let move = 2; move <= 20; move++) book.reached(`10.0.0.${move}:1`, node('n'));
      expect(learnt(book, 'n')).toContain('10.0.0.1:1');
    });
  });

  it('a name that leads elsewhere stays due, but is not shown, told on or kept on disk', () => {
    const book = open('seed:1');
    book.reached('seed:1', node('n'));
    book.leadsElsewhere('seed:1');
    expect(addresses(book)).toEqual([]);
    expect(due(book, ({ key }) => key === 'n')).toEqual(['seed:1']);
    expect(addresses(open())).toEqual([]);
    book.reached('seed:1', node('m'));
    expect(book.known).toMatchObject([{ address: 'seed:1', source: 'bootstrap', nodeId: 'm' }]);
  });
});
