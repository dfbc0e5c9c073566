import { formatAddress, isLoopback, isWildcardHost, parseAddress } from '../config/address.js';

/** The host of "host:port"; a text that is no address is returned as it is. */
export function hostOf(address: string): string {
  return parseAddress(address)?.host ?? address;
}

/**
 * The address under which a peer says that it can be dialled, completed. A node that listens on all interfaces gives
 * only ":port"; the host is then that of its connection. Undefined if nobody can dial it.
 */
export function resolveAdvertised(advertised: string, remoteHost: string): string | undefined {
  const portOnly = /^:(\d+)$/.exec(advertised);
  const whole = portOnly === null ? advertised : formatAddress({ host: remoteHost, port: Number(portOnly[1]) });
  return isDialableFrom(whole, remoteHost) ? whole : undefined;
}

/** Can it be dialled, and does it mean the same here as on the host that sent it? */
export function isDialableFrom(address: string, senderHost: string): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && (!isLoopback(parsed.host) || isLoopback(senderHost));
}

/** The address for the Hello of a node that listens on `host`; only the port if it listens on every interface. */
export function advertise(host: string, port: number): string {
  return isWildcardHost(host) ? `:${port}` : formatAddress({ host, port });
}
