import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { LogLimiter } from './log-limiter.js';

function rig() {
  const lines: string[] = [];
  const log = pino({}, { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
  const clock = new VirtualClock();
  const limiter = new LogLimiter(log, clock);
  const write = (host: string | undefined, kind = 'bad greetings', message = `Bad greeting from ${host}`): void =>
    limiter.write({ level: 'warn', kind, host }, { host }, message);
  return { lines, clock, limiter, write };
}

describe('LogLimiter', () => {
  it('writes ten lines a minute of a kind for each host, and then how many it left out', async () => {
    const { lines, clock, write } = rig();
    for (let n = 0; n < 1_244; n++) write('127.0.0.9');
    for (let n = 0; n < 11; n++) write('127.0.0.8');
    write('127.0.0.9', 'other things', 'Another thing');
    expect(lines).toHaveLength(21);
    await clock.advance(60_000);
    expect(lines.slice(21)).toEqual([
      'Left out 1,234 more lines about bad greetings from 127.0.0.9, of the last minute',
      'Left out 1 more line about bad greetings from 127.0.0.8, of the last minute',
    ]);
    write('127.0.0.9');
    expect(lines.at(-1)).toBe('Bad greeting from 127.0.0.9');
  });

  it('writes more of a kind that says so', () => {
    const { lines, limiter } = rig();
    for (let n = 0; n < 500; n++) limiter.write({ level: 'info', kind: 'many', host: 'a', perHost: 200 }, {}, 'one');
    for (let n = 0; n < 500; n++) limiter.write({ level: 'info', kind: 'some', host: 'a', perHost: 50 }, {}, 'two');
    expect(lines.filter((line) => line === 'one')).toHaveLength(200);
    expect(lines.filter((line) => line === 'two')).toHaveLength(50);
  });

  it('begins anew after a minute, and sets no timer where nothing is left out', async () => {
    const { lines, clock, write } = rig();
    for (let minute = 1; minute <= 3; minute++) {
      for (let n = 0; n < 10; n++) write('a');
      expect(lines).toHaveLength(10 * minute);
      expect(clock.pendingTimers).toBe(0);
      await clock.advance(60_000);
    }
  });

  it('says nothing where nothing was left out', async () => {
    const { lines, clock, write } = rig();
    for (let n = 0; n < 10; n++) write(undefined);
    await clock.advance(60_000);
    expect(lines).toHaveLength(10);
  });

  it('stays within a hundred lines, and eleven about the rest, however many hosts there are', async () => {
    const { lines, clock, write } = rig();
    for (let n = 0; n < 20_000; n++) write(`10.0.${Math.floor(n / 250)}.${n % 250}`);
    expect(lines).toHaveLength(100);
    await clock.advance(60_000);
    expect(lines).toHaveLength(111);
    expect(lines.at(-1)).toBe('Left out 19,890 more lines about bad greetings from other hosts, of the last minute');
  });
});
