import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Node } from '../../src/node.js';
import { MemoryNetwork } from '../support/memory-network.js';
import { SeededRandom } from '../support/seeded-random.js';
import { SettableClock } from '../support/settable-clock.js';
import { addressOf, createSimNode } from '../support/sim-node.js';
import { VirtualClock } from '../support/virtual-clock.js';

const HOUR_MS = 3_600_000;
/** Longer than the longest wait before a peer is asked for headers again. */
const AWAKE_MS = 70_000;
const NAMES = ['n1', 'n2', 'n3', 'n4'];

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly peers?: number;
  readonly connected?: number;
  readonly secondsBehind?: number;
}

/** A node, the clock it goes by, and what it logged. */
interface Member {
  readonly node: Node;
  readonly clock: SettableClock;
  readonly log: Line[];
}

describe('a node whose clock is wrong', () => {
  const seed = Number(process.env['MINICHAIN_SIM_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  let clock: VirtualClock;
  let members: Map<string, Member>;
  beforeEach(async () => {
    console.log(`seed ${seed}: MINICHAIN_SIM_SEED=${seed} npx vitest run test/sim/clock-skew`);
    clock = new VirtualClock();
    members = new Map();
    const random = new SeededRandom(seed);
    const net = new MemoryNetwork(clock, random.fork());
    for (const name of NAMES) {
      const own = new SettableClock(clock);
      const log: Line[] = [];
      const logger = pino({ level: 'info' }, { write: (line) => void log.push(JSON.parse(line) as Line) });
      const node = await createSimNode(
        name,
        { bootstrap: NAMES.filter((other) => other !== name) },
        { dataDir: ':memory:', clock: own, random: random.fork(), dialer: net.dialerOf(name), logger },
      );
      net.listen(addressOf(name), (channel) => node.peers.acceptInbound(channel));
      await node.start();
      members.set(name, { node, clock: own, log });
    }
    await clock.until('all have a session with all', () => nodes().every(isMeshed));
    await mine('n1', 3);
    await clock.until('all begin alike', () => tips().size === 1);
    await clock.advance(10_000);
  });
  afterEach(async () => {
    for (const node of nodes()) await node.close();
  });

  const member = (name: string): Member => members.get(name)!;
  const nodes = (): Node[] => [...members.values()].map(({ node }) => node);
  const isMeshed = ({ peers }: Node): boolean => peers.summary().connected === NAMES.length - 1;
  const tipOf = (name: string): string => member(name).node.chain.tip.hash;
  const tips = (names: readonly string[] = NAMES): Set<string> => new Set(names.map(tipOf));
  const mine = (name: string, blocks: number): Promise<unknown> =>
    clock.during(`${name} mines ${blocks}`, member(name).node.miner.mine(blocks));
  const warnings = (name: string): Line[] =>
    member(name).log.filter(({ msg }) => msg.startsWith('The clock of this node'));
  /** All clocks go on by so much, the last of it with all that nodes do meanwhile: the first would take long. */
  const pass = async (durationMs: number): Promise<void> => {
    for (const { clock: own } of members.values()) own.offsetMs += durationMs - AWAKE_MS;
    await clock.advance(AWAKE_MS);
  };
  /** Nobody has lost a session, has a score, or has logged an error or misbehaviour. */
  const expectPeace = (): void => {
    for (const { node, log } of members.values()) {
      expect(isMeshed(node)).toBe(true);
      expect(node.peers.list().map(({ score }) => score)).toEqual(Array(NAMES.length - 1).fill(0));
      expect(log.filter(({ msg, level }) => level >= 50 || /misbehaved|Disconnected/.test(msg))).toEqual([]);
    }
  };

  describe('three hours ahead', () => {
    beforeEach(() => {
      member('n4').clock.offsetMs = 3 * HOUR_MS;
    });

    it('mines blocks that nobody takes before their time, and everybody when it has come', async () => {
      await mine('n4', 2);
      const early = tipOf('n4');
      await pass(HOUR_MS / 2);
      expect(tips(['n1', 'n2', 'n3']).size).toBe(1);
      expect(tipOf('n1')).not.toBe(early);
      expectPeace();
      // Two hours ahead is what the rules allow: an hour after they were mined they are good.
      await pass(HOUR_MS / 2 + AWAKE_MS);
      expect([...tips()]).toEqual([early]);
      expectPeace();
    });

    it('follows the others when they have more work, and its blocks are forgotten', async () => {
      await mine('n4', 2);
      const early = tipOf('n4');
      await mine('n1', 3);
      await clock.until('n4 follows', () => tips().size === 1);
      await pass(2 * HOUR_MS);
      expect(tips().size).toBe(1);
      expect(tipOf('n4')).not.toBe(early);
      expectPeace();
    });

    it('can be followed by those who are right without their clocks or blocks being spoilt', async () => {
      await mine('n4', 1);
      await pass(HOUR_MS + AWAKE_MS);
      await mine('n1', 1);
      await clock.until('all follow', () => tips().size === 1);
      const { tip } = member('n2').node.chain;
      expect(tip.time).toBeLessThanOrEqual(member('n2').clock.nowMs() / 1000);
      expectPeace();
    });

    it('is told by its log, once, and is told when that is over', async () => {
      for (let round = 0; round < 5; round++) {
        await mine('n4', 1);
        await clock.advance(20_000);
      }
      expect(warnings('n4')).toHaveLength(1);
      expect(warnings('n4')[0]!.msg).toMatch(/ahead of its peers'/);
      for (const name of ['n1', 'n2', 'n3']) expect(warnings(name)).toEqual([]);
      member('n4').clock.offsetMs = 0;
      await mine('n1', 6);
      await clock.until('n4 follows', () => tips().size === 1);
      await mine('n4', 1);
      await clock.until('all follow n4', () => tips().size === 1);
      const relieved = (): Line[] => member('n4').log.filter(({ msg }) => msg.includes('agrees with those'));
      await clock.until('n4 is told', () => relieved().length > 0, 1_000);
      expect(relieved()).toHaveLength(1);
      expect(warnings('n4')).toHaveLength(1);
      expectPeace();
    });

    it('asks again for the blocks that come when its clock was set back', async () => {
      await mine('n4', 1);
      await clock.advance(60_000);
      member('n4').clock.offsetMs = 0;
      await mine('n1', 2);
      await clock.until('n4 follows', () => tips().size === 1, 70_000);
    });
  });

  describe('three hours behind', () => {
    beforeEach(() => {
      member('n4').clock.offsetMs = -3 * HOUR_MS;
    });

    it('refuses what all others mine, blames nobody, and says once what may be wrong', async () => {
      const before = tipOf('n4');
      for (const name of ['n1', 'n2', 'n3', 'n1', 'n2', 'n3']) {
        await mine(name, 1);
        await clock.advance(20_000);
      }
      expect(tips(['n1', 'n2', 'n3']).size).toBe(1);
      expect(tipOf('n4')).toBe(before);
      expect(warnings('n4')).toEqual([expect.objectContaining({ connected: 3, level: 40 })]);
      expect(warnings('n4')[0]!.msg).toMatch(/behind its peers'.*check date, time and time zone/);
      expect(warnings('n4')[0]!.secondsBehind).toBeGreaterThan(10_000);
      expect(member('n4').node.peers.syncStatus().state).toBe('idle');
      expectPeace();
    });

    it('takes part again within a heartbeat or two of its clock being set right', async () => {
      await mine('n1', 3);
      await clock.advance(3 * 60_000);
      expect(tips().size).toBe(2);
      member('n4').clock.offsetMs = 0;
      await clock.until('n4 has caught up', () => tips().size === 1, 11_000);
      await mine('n2', 1);
      await clock.until('it takes new blocks', () => tips().size === 1, 1_000);
    });

    it('cannot mine on blocks of its future, and says why', async () => {
      const failure = member('n4').node.miner.mine(1);
      await expect(clock.during('it tries', failure)).rejects.toMatchObject({ code: 'time-too-new' });
      expect(
        member('n4')
          .log.filter(({ level }) => level >= 40)
          .map(({ msg }) => msg),
      ).toEqual(["Cannot mine, because the chain is ahead of this machine's clock; next attempt in 1 s"]);
    });

    it('mines blocks that all others take, once the newest of theirs is old enough', async () => {
      await pass(4 * HOUR_MS);
      await mine('n4', 2);
      await clock.until('all follow', () => tips().size === 1, 10_000);
      expectPeace();
    });

    it('asks for what it cannot take at most every few seconds, and ever less often', async () => {
      await mine('n1', 1);
      let runs = 0;
      member('n4').node.peers.events.on('sync', (state) => void (runs += state === 'headers' ? 1 : 0));
      await clock.advance(10 * 60_000);
      // Of each of three peers after 4, 8, 16 and 32 s, then every 64 s.
      expect(runs).toBeGreaterThanOrEqual(10);
      expect(runs).toBeLessThanOrEqual(3 * (4 + 10));
    });
  });
});
