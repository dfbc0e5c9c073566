import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RULE_CODES, RuleError } from './rule-error.js';

describe('RuleError', () => {
  it('carries code, message and facts', () => {
    const error = new RuleError('high-hash', 'hash is above the target', { height: 3 });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'RuleError', code: 'high-hash', message: 'hash is above the target' });
    expect(error.data).toEqual({ height: 3 });
    expect(new RuleError('high-hash', '').data).toEqual({});
  });

  it('has each code once, and README.md lists the same ones', () => {
    const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
    const listed = [...readme.matchAll(/^\| \d+ +\| `([a-z0-9-]+)` +\|/gm)].map((match) => match[1]);
    expect(new Set(RULE_CODES).size).toBe(RULE_CODES.length);
    expect(new Set(listed)).toEqual(new Set(RULE_CODES));
  });
});
