import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { LiveScreen } from './live-screen.js';

const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';

const screens: LiveScreen[] = [];

afterEach(() => {
  for (const screen of screens.splice(0)) screen.close();
});

/** A screen, what it writes, and the modes and events it caused. */
function open(): { screen: LiveScreen; stdin: PassThrough; written: () => string; happened: string[] } {
  let text = '';
  const happened: string[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (isRaw: boolean) => happened.push(isRaw ? 'raw' : 'cooked'),
  });
  const stdout = { write: (chunk: string | Uint8Array) => (text += String(chunk)), isTTY: true, columns: 80, rows: 24 };
  const listeners = { stop: () => happened.push('stop'), redraw: () => happened.push('redraw') };
  const screen = new LiveScreen({ env: {}, stdin, stdout, stderr: stdout }, listeners);
  screens.push(screen);
  screen.open();
  const written = (): string => {
    const now = text;
    text = '';
    return now;
  };
  return { screen, stdin, written, happened };
}

describe('LiveScreen', () => {
  it('has a screen of its own, and leaves the terminal as it was', () => {
    const { screen, written, happened } = open();
    expect(written()).toContain(ENTER);
    screen.close();
    expect(written()).toBe(LEAVE);
    screen.close();
    expect([written(), happened]).toEqual(['', ['raw', 'cooked']]);
  });

  it('writes only the lines that have changed', () => {
    const { screen, written } = open();
    written();
    screen.draw(['one', 'two', 'three']);
    expect(written()).toContain('one');
    screen.draw(['one', '2', 'three']);
    expect(written()).toBe('\u001b[?2026h\u001b[2;1H\u001b[2K2\u001b[?2026l');
    screen.draw(['one', '2', 'three']);
    expect(written()).toBe('');
    screen.draw(['one']);
    expect(written()).toBe('\u001b[?2026h\u001b[2;1H\u001b[2K\u001b[3;1H\u001b[2K\u001b[?2026l');
  });

  it.each([
    ['q', ['stop']],
    ['Q', ['stop']],
    ['\u0003', ['stop']],
    ['\u000c', ['redraw']],
    ['x', []],
    ['a paste with q', []],
  ])('takes the key %j', async (key, effect) => {
    const { stdin, happened } = open();
    stdin.write(key);
    await new Promise((resolve) => setImmediate(resolve));
    expect(happened.slice(1)).toEqual(effect);
  });

  it('draws all lines again when the terminal has another size', () => {
    const { screen, written, happened } = open();
    screen.draw(['one']);
    written();
    process.emit('SIGWINCH');
    expect([written(), happened.at(-1)]).toEqual(['\u001b[2J', 'redraw']);
    screen.draw(['one']);
    expect(written()).toContain('one');
  });

  it('leaves no listener behind', () => {
    const names = ['SIGWINCH', 'SIGCONT', 'exit', 'uncaughtException'];
    const before = names.map((name) => process.listenerCount(name));
    open().screen.close();
    expect(names.map((name) => process.listenerCount(name))).toEqual(before);
  });
});
