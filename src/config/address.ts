import { isIPv4, isIPv6 } from 'node:net';

/** Where a node can be dialled. IPv6 hosts stand without brackets here. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

const MAX_NAME_CHARS = 253;
const DNS_LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/**
 * Reads "host:port", where host is an IPv4 address, a DNS name or an IPv6 address in brackets, and port is 1..65535.
 * Undefined for anything else, also for addresses that nobody can dial (0.0.0.0, [::]).
 */
export function parseAddress(text: string): Address | undefined {
  const parts = /^(?:\[(?<ipv6>[^\]]*)\]|(?<name>[^:[\]]*)):(?<port>[1-9]\d{0,4})$/.exec(text)?.groups;
  if (!parts) return undefined;
  const port = Number(parts['port']);
  if (port > 65_535) return undefined;
  const { ipv6, name } = parts;
  if (ipv6 !== undefined) return isDialableIPv6(ipv6) ? { host: ipv6, port } : undefined;
  return isDialableName(name!) ? { host: name!, port } : undefined;
}

/** "host:port", with brackets around an IPv6 host. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The IPv4 address inside an IPv4-mapped IPv6 one (`::ffff:10.0.0.1`); any other host as it is. */
export function unmapAddress(host: string): string {
  return host.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** This machine itself: localhost, or an address that never leaves it. */
export function isLoopback(host: string): boolean {
  return /^localhost\.?$/.test(host) || host === '::1' || unmapAddress(host).startsWith('127.');
}

/** Can a server listen there? An IP address (also 0.0.0.0 and ::, without brackets) or a DNS name. */
export function isListenHost(text: string): boolean {
  return isIPv4(text) || isIPv6(text) || isDnsName(text);
}

/** Is it a CIDR range, such as 10.0.0.0/8 or fc00::/7? */
export function isRange(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  if (rest.length > 0 || !/^\d{1,3}$/.test(bits) || address.includes('%')) return false;
  return (isIPv4(address) && Number(bits) <= 32) || (isIPv6(address) && Number(bits) <= 128);
}

/** 0.0.0.0 or :: in any spelling: "all of this machine's addresses", fine to listen on, impossible to dial. */
export function isWildcardHost(host: string): boolean {
  return host === '0.0.0.0' || (isIPv6(host) && ['::', '::ffff:0:0'].includes(canonicalIPv6(host)));
}

function isDialableIPv6(host: string): boolean {
  return isIPv6(host) && !host.includes('%') && !isWildcardHost(host);
}

function isDialableName(host: string): boolean {
  return !isWildcardHost(host) && (isIPv4(host) || isDnsName(host));
}

/** The dot at the end of an absolute name (RFC 1034, section 3.1) is allowed. */
function isDnsName(text: string): boolean {
  const name = text.replace(/\.$/, '');
  if (name.length > MAX_NAME_CHARS) return false;
  const labels = name.split('.');
  // A last label of digits makes it an IPv4 address with a mistake in it, not a name (RFC 3696, section 2).
  return labels.every((label) => DNS_LABEL.test(label)) && !/^\d+$/.test(labels.at(-1)!);
}

/** The one spelling that RFC 5952 allows. */
export function canonicalIPv6(host: string): string {
  return URL.parse(`http://[${host}]/`)?.hostname.slice(1, -1) ?? host;
}
