import { describe, expect, it } from 'vitest';
import { excerpt, printable } from './printable.js';

describe('printable', () => {
  it('leaves ordinary text of any language alone, with tabs and line ends', () => {
    for (const text of ['hello', 'héllo\tthere\n', 'שלום', '日本語', '👩‍🚀'.replace('\u200d', ''), '<b>&amp;']) {
      expect(printable(text)).toBe(text);
    }
  });

  it('shows control characters, direction marks and what has no width', () => {
    expect(printable('a\u0000b\u001b[31m')).toBe('a␀b␛[31m');
    expect(printable('abc\u202edef')).toBe('abc⟨U+202E⟩def');
    expect(printable('\ufeffx\u200by\u2066z\u007f')).toBe('⟨U+FEFF⟩x⟨U+200B⟩y⟨U+2066⟩z␡');
  });

  it('replaces half of a pair', () => {
    expect(printable('a\ud83d')).toBe('a\ufffd');
  });
});

describe('excerpt', () => {
  it('is one line, cut between characters', () => {
    expect(excerpt('one\ntwo', 20)).toBe('one two');
    expect(excerpt('😀😀😀', 2)).toBe('😀😀…');
    expect(excerpt('x'.repeat(16_384), 5)).toBe('xxxxx…');
    expect(excerpt('hello', 5)).toBe('hello');
  });
});
