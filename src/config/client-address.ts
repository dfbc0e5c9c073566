import { isIPv6 } from 'node:net';
import { unmapAddress } from './address.js';

/**
 * Whose limits a connection or request counts against; of IPv6 the /64, since one host may own all of it. Undefined
 * for this machine itself: 127.0.0.1 and ::1, from which all its ordinary clients come, and none of a forwarded port.
 */
export function clientOf(address: string): string | undefined {
  const host = unmapAddress(address);
  if (host === '127.0.0.1' || host === '::1') return undefined;
  if (!isIPv6(host)) return host;
  const [head = '', tail] = host.replace(/%.*$/, '').split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: gap }, () => '0'), ...back];
  return groups.slice(0, 4).join(':');
}
