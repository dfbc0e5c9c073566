import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../test/support/virtual-clock.js';
import type { Channel, ChannelEvents } from './channel.js';
import { DelayedChannel } from './delayed-channel.js';

const MEBIBYTE = 1024 * 1024;

/** The channel below, and what came out at both ends of the delayed one, in order. */
function setUp(): {
  readonly clock: VirtualClock;
  readonly channel: DelayedChannel;
  readonly log: string[];
  readonly below: () => ChannelEvents;
  readonly receive: (text: string) => void;
  readonly send: (text: string) => boolean;
} {
  const clock = new VirtualClock();
  const log: string[] = [];
  let below: ChannelEvents | undefined;
  const inner: Channel = {
    remoteHost: 'there',
    open: (events) => (below = events),
    send: (bytes) => {
      log.push(`out ${Buffer.from(bytes.subarray(0, 8)).toString()}`);
      return true;
    },
    pause: () => void log.push('wait'),
    resume: () => void log.push('go on'),
    close: () => void log.push('closed'),
  };
  const channel = new DelayedChannel(inner, clock);
  channel.open({
    message: (bytes) => log.push(`in ${Buffer.from(bytes.subarray(0, 8)).toString()}`),
    drained: () => log.push('drained'),
    closed: (reason) => log.push(`ended: ${reason}`),
  });
  return {
    clock,
    channel,
    log,
    below: () => below!,
    receive: (text) => below!.message(Buffer.from(text)),
    send: (text) => channel.send(Buffer.from(text)),
  };
}

describe('a delayed channel', () => {
  it('without a delay hands everything on at once', () => {
    const { log, receive, send } = setUp();
    expect(send('a')).toBe(true);
    receive('b');
    expect(log).toEqual(['out a', 'in b']);
  });

  it('makes both directions late', async () => {
    const { channel, clock, log, receive, send } = setUp();
    channel.delayMs = () => 800;
    send('a');
    receive('b');
    await clock.advance(799);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(['out a', 'in b']);
  });

  it('keeps the order, whatever the delays are, also when they end', async () => {
    const { channel, clock, log, send } = setUp();
    const delays = [500, 10, 300, 0];
    channel.delayMs = () => delays.shift() ?? 0;
    for (const text of ['1', '2', '3', '4', '5']) send(text);
    await clock.advance(499);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(['out 1', 'out 2', 'out 3', 'out 4', 'out 5']);
    send('6');
    expect(log.at(-1)).toBe('out 6');
  });

  it('makes a sender wait who has too much on its way', async () => {
    const { channel, clock, log } = setUp();
    channel.delayMs = () => 100;
    let sent = 0;
    while (channel.send(new Uint8Array(MEBIBYTE))) sent += 1;
    expect(sent).toBe(8);
    await clock.advance(100);
    expect(log.filter((line) => line.startsWith('out'))).toHaveLength(9);
    expect(log.filter((line) => line === 'drained')).toHaveLength(1);
  });

  it('makes the other side wait if too much has come in, and lets it go on', async () => {
    const { channel, clock, below, log } = setUp();
    channel.delayMs = () => 100;
    for (let n = 0; n < 10; n++) below().message(new Uint8Array(MEBIBYTE));
    expect(log).toEqual(['wait']);
    await clock.advance(100);
    expect(log.filter((line) => line === 'go on')).toHaveLength(1);
    expect(log.filter((line) => line.startsWith('in'))).toHaveLength(10);
  });

  it('hands on nothing while it is paused', async () => {
    const { channel, clock, log, receive } = setUp();
    channel.delayMs = () => 100;
    receive('a');
    channel.pause();
    await clock.advance(200);
    expect(log).toEqual(['wait']);
    channel.resume();
    await clock.advance(0);
    expect(log).toEqual(['wait', 'go on', 'in a']);
  });

  it('loses nothing at its end: what was to be sent is sent, what came is handed on', () => {
    const first = setUp();
    first.channel.delayMs = () => 100;
    first.send('goodbye');
    first.channel.close();
    expect(first.log).toEqual(['out goodbye', 'closed']);
    const second = setUp();
    second.channel.delayMs = () => 100;
    second.receive('goodbye');
    second.below().closed('gone');
    expect(second.log).toEqual(['in goodbye', 'ended: gone']);
  });
});
