import { describe, expect, it } from 'vitest';
import { parseConfig } from '../config/load-config.js';
import { connectionsOf } from './descriptors.js';

const config = parseConfig({ env: { MINICHAIN_NODE_NODE_ID: 'any' } });

describe('connectionsOf', () => {
  it.each([
    [1_048_576, 1_000],
    [undefined, 1_000],
    [1_024, 736],
    [256, 16],
  ])('with a limit of %s open files is %i', (limit, expected) => {
    expect(connectionsOf(config, limit)).toBe(expected);
  });
});
