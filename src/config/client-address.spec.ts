import { describe, expect, it } from 'vitest';
import { clientOf } from './client-address.js';

describe('clientOf', () => {
  it.each([
    ['127.0.0.1', undefined],
    ['127.8.9.1', '127.8.9.1'],
    ['::1', undefined],
    ['::ffff:127.0.0.1', undefined],
    ['10.0.0.1', '10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('%s counts as %s', (address, expected) => {
    expect(clientOf(address)).toBe(expected);
  });
});
