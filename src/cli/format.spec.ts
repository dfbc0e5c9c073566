import { describe, expect, it } from 'vitest';
import { bytes, duration, hashRate, moment, pairs, plural, printable, table } from './format.js';

describe('printable', () => {
  it('keeps text of all scripts and pictures', () => {
    expect(printable('Grüße, 世界 🎉')).toBe('Grüße, 世界 🎉');
  });

  it('shows what could steer a terminal or turn the direction instead of sending it', () => {
    expect(printable('a\u001b[2Jb\u009b31mc\r\nd\u202ee\u2028f\ud800')).toBe(
      'a\\u{1b}[2Jb\\u{9b}31mc\\u{d}\\nd\\u{202e}e\\u{2028}f\\u{d800}',
    );
  });

  it('cuts to the width, never through a character', () => {
    expect(printable('🎉🎉🎉🎉', 3)).toBe('🎉🎉…');
    expect(printable('abc', 3)).toBe('abc');
    expect(printable('abcd', 3)).toBe('ab…');
  });
});

describe('table', () => {
  it('aligns text left and numbers right', () => {
    expect(
      table([
        ['node', 'height', 'data'],
        ['node-1', 9, 'é'],
        ['b', 12_345, ''],
      ]),
    ).toBe('node    height  data\nnode-1       9  é\nb       12,345\n');
  });

  it('aligns pairs', () => {
    expect(
      pairs([
        ['a', '1'],
        ['long', '2'],
      ]),
    ).toBe('a     1\nlong  2\n');
  });
});

describe('quantities', () => {
  it.each([
    [0, '0 ms'],
    [850.4, '850 ms'],
    [4_230, '4.2 s'],
    [59_000, '59 s'],
    [59_700, '1 min'],
    [185_000, '3 min 5 s'],
    [86_400_000, '1 d'],
    [7_800_000, '2 h 10 min'],
    [277_200_000, '3 d 5 h'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));

  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [67_108_864, '64.0 MiB'],
    [512 * 1024, '512 KiB'],
  ])('%d bytes are %s', (value, text) => expect(bytes(value)).toBe(text));

  it('scales hash rates by thousands', () => {
    expect([0, 999, 1_300_000].map(hashRate)).toEqual(['0 H/s', '999 H/s', '1.3 MH/s']);
  });

  it('counts in words and shortens moments', () => {
    expect([plural(1, 'block'), plural(1_200, 'block')]).toEqual(['1 block', '1,200 blocks']);
    expect([plural(1, 'entry', 'entries'), plural(0, 'entry', 'entries')]).toEqual(['1 entry', '0 entries']);
    expect(moment('2026-11-22T13:14:15.123Z')).toBe('2026-11-22 13:14:15Z');
  });
});
