import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RULES, RULE_CODES, RuleError } from './rule-error.js';

describe('RuleError', () => {
  it('carries code, message and facts', () => {
    const error = new RuleError('high-hash', 'hash is above the target', { height: 3 });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'RuleError', code: 'high-hash', message: 'hash is above the target' });
    expect(error.data).toEqual({ height: 3 });
    expect(new RuleError('high-hash', '').data).toEqual({});
  });

  it('condemns a block only for what it cannot mend', () => {
    const condemned = RULE_CODES.filter((code) => new RuleError(code, '').condemnsBlock);
    expect(condemned).not.toContain('time-too-new');
    expect(condemned).not.toContain('bad-txnmrklroot');
    expect(condemned).not.toContain('high-hash');
    expect(condemned).toContain('bad-cb-height');
    expect(condemned).toContain('bad-prevblk');
  });

  it('has each code once, and README.md lists the same ones with their verdicts', () => {
    const readme = readFileSync(new URL('README.md', import.meta.url), 'utf8');
    const rows = [...readme.matchAll(/^\| \d+ +\| `([a-z0-9-]+)` +\|[^|]*\| ([a-z-]+) +\|/gm)];
    expect(Object.fromEntries(rows.map(([, code, verdict]) => [code, verdict]))).toEqual(RULES);
  });
});
