import { describe, expect, it } from 'vitest';
import type { HttpProblem } from '../common/http-problem.js';
import { planGroups } from './plan-groups.js';

const KNOWN = new Set(['a', 'b', 'c']);

describe('the groups of a partition', () => {
  it('take the nodes that nobody names as one more', () => {
    expect(planGroups([['a']], KNOWN)).toEqual([['a'], ['b', 'c']]);
    expect(planGroups([['a'], ['b']], KNOWN)).toEqual([['a'], ['b'], ['c']]);
    expect(planGroups([['a'], ['c', 'b']], KNOWN)).toEqual([['a'], ['c', 'b']]);
  });

  it.each([
    ['no groups', [], 400, 'empty-groups'],
    ['one group of all', [['a', 'b', 'c']], 400, 'empty-groups'],
    ['an empty group', [['a'], []], 400, 'empty-group'],
    ['a node in two groups', [['a'], ['b', 'a']], 400, 'node-in-two-groups'],
    ['a node twice in one group', [['a', 'a']], 400, 'node-in-two-groups'],
    ['an unknown node', [['a'], ['d']], 404, 'unknown-node'],
  ])('are refused: %s', (_name, groups, status, code) => {
    let refusal: HttpProblem | undefined;
    try {
      planGroups(groups, KNOWN);
    } catch (error) {
      refusal = error as HttpProblem;
    }
    expect(refusal).toMatchObject({ status, code });
  });
});
