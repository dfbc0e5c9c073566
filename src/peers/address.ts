import { formatAddress, isWildcardHost, parseAddress } from '../config/address.js';

/** The host of "host:port"; an address that is none stands for itself. */
export function hostOf(address: string): string {
  return parseAddress(address)?.host ?? address;
}

export function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || /^(?:::ffff:)?127\./.test(host);
}

/**
 * The address under which a peer says that it can be dialled, made whole: a node that listens on all interfaces gives
 * only ":port", and the host is then the one that its connection has. Undefined where it cannot be dialled.
 */
export function resolveAdvertised(advertised: string, remoteHost: string): string | undefined {
  const portOnly = /^:(\d+)$/.exec(advertised);
  const whole = portOnly === null ? advertised : formatAddress({ host: remoteHost, port: Number(portOnly[1]) });
  return isDialableFrom(whole, remoteHost) ? whole : undefined;
}

/** Is it an address that can be dialled, and does it mean the same here as on the host that told of it? */
export function isDialableFrom(address: string, tellerHost: string): boolean {
  const parsed = parseAddress(address);
  return parsed !== undefined && (!isLoopback(parsed.host) || isLoopback(tellerHost));
}

/** What a node that listens on `host` says in its Hello; the port alone where it listens on every interface. */
export function advertise(host: string, port: number): string {
  return isWildcardHost(host) ? `:${port}` : formatAddress({ host, port });
}
