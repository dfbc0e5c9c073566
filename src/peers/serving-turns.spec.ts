import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { SERVING_RATES, ServingTurns } from './serving-turns.js';

const MIB = 1024 * 1024;

function rig() {
  const clock = new VirtualClock();
  const turns = new ServingTurns(clock);
  const enter = (remoteHost: string) => {
    const session = {
      remoteHost,
      isClosed: false,
      queuedBytes: 0,
      holds: 0,
      hold() {
        this.holds += 1;
      },
      release() {
        this.holds -= 1;
      },
    };
    let served = 0;
    let late = 0;
    const ask = async (cost: number): Promise<void> => {
      const answer = await turns.serve(
        session,
        () => ({ answer: 'served', cost }),
        () => 'late',
      );
      if (answer === 'served') served += 1;
      else late += 1;
    };
    return {
      session,
      ask,
      get served() {
        return served;
      },
      get late() {
        return late;
      },
    };
  };
  return { clock, turns, enter };
}

describe('ServingTurns', () => {
  it('answer at once where nobody asks for much', async () => {
    const { clock, enter } = rig();
    const peer = enter('10.0.0.1');
    await peer.ask(2 * MIB);
    expect(peer.served).toBe(1);
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['one session', ['127.0.0.1'], SERVING_RATES.session],
    ['the sessions of another machine', ['10.0.0.1', '10.0.0.1', '10.0.0.1'], SERVING_RATES.host],
    ['all together', Array.from({ length: 8 }, (_, n) => `127.0.0.${n + 2}`), SERVING_RATES.all],
  ])('give %s so many bytes a second, evenly, and none in vain', async (_, hosts, rate) => {
    const { clock, enter } = rig();
    const peers = hosts.map((host) => enter(host));
    for (const peer of peers) {
      const again = (): Promise<void> => peer.ask(MIB).then(again);
      for (let request = 0; request < 2; request++) void again();
    }
    await clock.advance(20_000);
    const counts = peers.map(({ served }) => served);
    const bytes = counts.reduce((sum, count) => sum + count, 0) * MIB;
    expect(bytes).toBeGreaterThan(0.9 * 20 * rate.perSecond);
    expect(bytes).toBeLessThan(20 * rate.perSecond + rate.burst + 8 * MIB);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(10);
    expect(peers.map(({ late }) => late)).toEqual(peers.map(() => 0));
  });

  it('let a newcomer with small requests go first', async () => {
    const { clock, enter } = rig();
    const greedy = Array.from({ length: 8 }, (_, n) => enter(`127.0.0.${n + 2}`));
    for (const peer of greedy) {
      const again = (): Promise<void> => peer.ask(2 * MIB).then(again);
      for (let request = 0; request < 7; request++) void again();
    }
    await clock.advance(3_000);
    const newcomer = enter('10.0.0.1');
    for (let request = 1; request <= 20; request++) {
      void newcomer.ask(100_000);
      await clock.advance(300);
      expect(newcomer.served).toBe(request);
    }
  });

  it('do not read from a session while eight of its requests wait, and answer none later than after four seconds', async () => {
    const { clock, enter } = rig();
    const stuck = enter('10.0.0.1');
    stuck.session.queuedBytes = 5 * MIB;
    for (let request = 0; request < 7; request++) void stuck.ask(MIB);
    expect(stuck.session.holds).toBe(0);
    void stuck.ask(MIB);
    expect(stuck.session.holds).toBe(1);
    await clock.advance(3_900);
    expect(stuck.late).toBe(0);
    await clock.advance(200);
    expect([stuck.served, stuck.late, stuck.session.holds]).toEqual([0, 8, 0]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('pass a fault on to who asked, and go on', async () => {
    const { turns, enter } = rig();
    const peer = enter('10.0.0.1');
    const broken = turns.serve(
      peer.session,
      () => {
        throw new Error('disk gone');
      },
      () => undefined,
    );
    await expect(broken).rejects.toThrow('disk gone');
    await peer.ask(1);
    expect(peer.served).toBe(1);
  });

  it('forget a session that ended', async () => {
    const { clock, turns, enter } = rig();
    const peer = enter('10.0.0.1');
    peer.session.queuedBytes = 5 * MIB;
    void peer.ask(MIB);
    turns.leave(peer.session);
    await clock.advance(100);
    expect(peer.late).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });
});
