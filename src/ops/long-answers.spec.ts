import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import { LongAnswers } from './long-answers.js';

function rig() {
  const clock = new VirtualClock();
  const answers = new LongAnswers(clock);
  const ended: string[] = [];
  return {
    clock,
    answers,
    ended,
    open: (client: string | undefined, name = '') => answers.open(client, () => ended.push(name)),
  };
}

describe('LongAnswers', () => {
  it('bounds those of one client, and all of them', () => {
    const { answers, open } = rig();
    for (let n = 0; n < 16; n++) open('a');
    expect(() => open('a')).toThrow(expect.objectContaining({ status: 503, headers: { 'Retry-After': '5' } }));
    for (let n = 0; n < 48; n++) open(undefined);
    expect(() => open('b')).toThrow('as many long answers as it can');
    expect([answers.size, answers.refused]).toEqual([64, 2]);
  });

  it('has room again once one is over', () => {
    const { open } = rig();
    const all = Array.from({ length: 16 }, () => open('a'));
    all[3]!.close();
    expect(() => open('a')).not.toThrow();
  });

  it('lets one that nobody reads make room, of the client with the most, and none that is read', async () => {
    const { clock, open, ended } = rig();
    const offer = (client: string | undefined, name: string) => {
      const answer = open(client, name);
      answer.offered();
      return answer;
    };
    offer('few', 'few');
    const read = Array.from({ length: 47 }, (_, n) => offer(undefined, `local ${n}`));
    for (let n = 0; n < 16; n++) offer('many', `many ${n}`);
    await clock.advance(2_000);
    for (const answer of read) answer.taken(65_536);
    open('new');
    expect(ended).toEqual(['many 0']);
  });

  it('ends one that nobody reads, and one that is read drop by drop', async () => {
    const { clock, open, ended, answers } = rig();
    open('a', 'silent').offered();
    const drop = open('b', 'drop by drop');
    const slow = open('c', 'slow');
    const atWork = open('d', 'at work');
    for (let second = 0; second < 40; second += 5) {
      drop.offered();
      drop.taken(1_000);
      drop.offered();
      slow.offered();
      slow.taken(65_536);
      slow.offered();
      await clock.advance(5_000);
    }
    expect(ended).toEqual(['silent', 'drop by drop']);
    expect([answers.size, answers.ended]).toEqual([2, 2]);
    atWork.close();
    answers.close();
  });
});
