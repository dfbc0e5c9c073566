import { describe, expect, it } from 'vitest';
import { formatAddress, isListenHost, isLoopback, parseAddress, unmapAddress } from './address.js';

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:9091', '127.0.0.1', 9091],
    ['localhost:1', 'localhost', 1],
    ['node_2:65535', 'node_2', 65_535],
    ['a-b.example.org:80', 'a-b.example.org', 80],
    ['node-1.example.:9091', 'node-1.example.', 9091],
    ['[::1]:9091', '::1', 9091],
    ['[2001:db8::8:800]:9091', '2001:db8::8:800', 9091],
  ])('reads %s and writes it back', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
    expect(formatAddress({ host, port })).toBe(text);
  });

  it.each([
    ...['', 'host', ':9091', 'host:', 'host:0', 'host:65536', 'host:080', 'host:1e3', 'host:9091 ', 'http://host:9091'],
    ...['::1:9091', '[::1]', '[host]:9091', '[127.0.0.1]:1', '[fe80::1%eth0]:1', '256.0.0.1:1', '1.2.3:1', 'a..b:1'],
    ...['.:1', 'a..:1', '1.2.3.4.:1'],
    ...['-a:1', 'a-:1', 'a b:1', `${'a'.repeat(64)}:1`, `${'a.'.repeat(127)}a:1`.padStart(300, 'a')],
  ])('refuses %s', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it.each(['0.0.0.0:9091', '[::]:9091', '[0:0::0]:9091', '[::ffff:0.0.0.0]:9091'])(
    'refuses %s: nobody can dial it',
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );
});

describe('isListenHost', () => {
  it('takes addresses, wildcards and names', () => {
    expect(['127.0.0.1', '0.0.0.0', '::', '::1', 'localhost'].every((host) => isListenHost(host))).toBe(true);
    expect(['', '[::1]', 'a:1', '300.1.1.1', 'a b'].some((host) => isListenHost(host))).toBe(false);
  });
});

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost', 'localhost.', '::ffff:127.0.0.1'])('%s is', (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  it.each(['10.0.0.1', 'node-1', '128.0.0.1', '::2', 'localhost.example', 'example.org', '1.127.0.0'])(
    '%s is not',
    (host) => {
      expect(isLoopback(host)).toBe(false);
    },
  );
});

describe('unmapAddress', () => {
  it.each([
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:127.0.0.1', '127.0.0.1'],
    ['10.0.0.1', '10.0.0.1'],
    ['::1', '::1'],
    ['::ffff:a00:1', '::ffff:a00:1'],
    ['::ffff:10.0.0.1:80', '::ffff:10.0.0.1:80'],
    ['node-2.example.org', 'node-2.example.org'],
  ])('%s is %s', (host, expected) => expect(unmapAddress(host)).toBe(expected));
});
