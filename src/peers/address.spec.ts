import { describe, expect, it } from 'vitest';
import { advertise, isDialableFrom, resolveAdvertised } from './address.js';

describe('resolveAdvertised', () => {
  it.each([
    ['10.0.0.5:9091', '10.9.9.9', '10.0.0.5:9091'],
    ['node-2:9091', '10.0.0.5', 'node-2:9091'],
    [':9091', '10.0.0.5', '10.0.0.5:9091'],
    [':9091', '2001:db8::5', '[2001:db8::5]:9091'],
    [':9091', '127.0.0.1', '127.0.0.1:9091'],
    ['127.0.0.1:9091', '127.0.0.1', '127.0.0.1:9091'],
  ])('%s of a peer at %s is %s', (advertised, remoteHost, expected) => {
    expect(resolveAdvertised(advertised, remoteHost)).toBe(expected);
  });

  it.each([
    ['', 'nothing advertised: behind NAT'],
    ['0.0.0.0:9091', 'a wildcard'],
    ['[::]:9091', 'a wildcard'],
    [':0', 'no port'],
    [':99999', 'no port'],
    ['node-2', 'no port'],
    ['127.0.0.1:9091', 'the loopback of another machine'],
    ['localhost:9091', 'the loopback of another machine'],
    ['x'.repeat(10_000), 'endless'],
  ])('%.30s cannot be dialled: %s', (advertised) => {
    expect(resolveAdvertised(advertised, '10.0.0.5')).toBeUndefined();
  });

  it('needs a known host for a port alone', () => {
    expect(resolveAdvertised(':9091', 'unknown:1')).toBeUndefined();
  });
});

describe('isDialableFrom', () => {
  it('takes loopback addresses only from this machine', () => {
    expect(isDialableFrom('127.0.0.1:9091', '::1')).toBe(true);
    expect(isDialableFrom('127.0.0.1:9091', '10.0.0.5')).toBe(false);
    expect(isDialableFrom('10.0.0.6:9091', '10.0.0.5')).toBe(true);
    expect(isDialableFrom('not an address', '127.0.0.1')).toBe(false);
  });
});

describe('advertise', () => {
  it('gives the port alone where the node listens on every interface', () => {
    expect(advertise('0.0.0.0', 9091)).toBe(':9091');
    expect(advertise('::', 9091)).toBe(':9091');
    expect(advertise('10.0.0.5', 9091)).toBe('10.0.0.5:9091');
    expect(advertise('::1', 9091)).toBe('[::1]:9091');
  });
});
