import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { READING_RATES, ReadingPaces, type ReadingPace } from './reading-pace.js';

const MIB = 1024 * 1024;

function rig() {
  const clock = new VirtualClock();
  const paces = new ReadingPaces(clock);
  const enter = (remoteHost: string) => {
    const session = {
      remoteHost,
      isClosed: false,
      holds: 0,
      hold() {
        this.holds += 1;
      },
      release() {
        this.holds -= 1;
      },
    };
    const pace: ReadingPace = paces.enter(session);
    return { session, pace };
  };
  return { clock, enter };
}

describe('ReadingPaces', () => {
  it('never stop a session whose messages are worth it, however many there are', () => {
    const { enter } = rig();
    const { session, pace } = enter('10.0.0.1');
    for (let block = 0; block < 1_000; block++) {
      pace.received(MIB);
      pace.decoded(10_000);
      expect(session.holds).toBe(0);
      pace.brought(MIB, 10_000);
    }
  });

  it('let ten full blocks a second pass that another peer sent first', async () => {
    const { clock, enter } = rig();
    const { session, pace } = enter('10.0.0.1');
    for (let block = 0; block < 600; block++) {
      pace.received(MIB);
      expect(session.holds).toBe(0);
      await clock.advance(100);
    }
  });

  it('let 4,000 entries a second pass that are known already', async () => {
    const { clock, enter } = rig();
    const { session, pace } = enter('10.0.0.1');
    for (let batch = 0; batch < 3_000; batch++) {
      pace.received(80 * 200);
      pace.decoded(80);
      expect(session.holds).toBe(0);
      await clock.advance(20);
    }
  });

  it('stop reading from a session that sends more of no use, until it has worked that off', async () => {
    const { clock, enter } = rig();
    const { session, pace } = enter('10.0.0.1');
    pace.received(READING_RATES.session.burst + 8 * MIB);
    expect(session.holds).toBe(1);
    await clock.advance(400);
    expect(session.holds).toBe(1);
    await clock.advance(200);
    expect(session.holds).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([
    ['of one other machine', () => '10.0.0.1', READING_RATES.host],
    ['of this machine', () => '127.0.0.1', READING_RATES.all],
    ['of many hosts', (n: number) => `127.0.0.${n + 2}`, READING_RATES.all],
  ])('bound what sessions %s send in all, and leave an honest one its share', async (_, hostOf, rate) => {
    const { clock, enter } = rig();
    const flooders = Array.from({ length: 20 }, (__, n) => enter(hostOf(n)));
    const honest = enter('10.9.9.9');
    let bytes = 0;
    let waitedMs = 0;
    for (let ms = 0; ms < 20_000; ms += 10) {
      for (const { session, pace } of flooders) {
        if (session.holds > 0) continue;
        pace.received(MIB);
        bytes += MIB;
      }
      if (ms % 1_000 === 0) honest.pace.received(MIB);
      if (honest.session.holds > 0) waitedMs += 10;
      await clock.advance(10);
    }
    // Each flooder may go one message beyond its share before it waits.
    expect(bytes).toBeLessThan(rate.burst + 20 * rate.perSecond + 20 * 2 * MIB);
    expect(bytes).toBeGreaterThan(10 * rate.perSecond);
    expect(waitedMs).toBeLessThan(20_000 * 0.6);
  });

  it('forget sessions that ended, also while they wait', async () => {
    const { clock, enter } = rig();
    const { session, pace } = enter('10.0.0.1');
    pace.received(100 * MIB);
    session.isClosed = true;
    pace.end();
    await clock.advance(60_000);
    expect(session.holds).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    const again = enter('10.0.0.1');
    again.pace.received(MIB);
    expect(again.session.holds).toBe(0);
  });
});
