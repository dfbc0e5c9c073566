import { BlockList, isIP, isIPv6 } from 'node:net';
import { canonicalIPv6, isLoopback, unmapAddress } from '../config/address.js';

/**
 * Which hosts count as one owner's. Addresses are cheap within a network and harder to get in many networks, so what one
 * network may take of the address book and of the slots is capped. Trusted ranges have no caps: all nodes of a private
 * network may stand in one range, or behind one address.
 */
export class HostRanges {
  readonly #trusted = new BlockList();

  /** @param trusted CIDR ranges, as `network.trusted_ranges`; loopback always belongs to them. */
  constructor(trusted: readonly string[]) {
    for (const range of trusted) {
      const [address, bits] = range.split('/') as [string, string];
      this.#trusted.addSubnet(address, Number(bits), familyOf(address));
    }
  }

  /** A host name counts as untrusted until a connection shows its address. */
  isTrusted(host: string): boolean {
    if (isLoopback(host)) return true;
    const address = unmapAddress(host);
    return isIP(address) !== 0 && this.#trusted.check(address, familyOf(address));
  }

  /** The /16 of an IPv4 address, the /32 of an IPv6 one; undefined for a name. */
  rangeOf(host: string): string | undefined {
    const address = unmapAddress(host);
    if (isIP(address) === 0) return undefined;
    if (!isIPv6(address)) return `${address.split('.').slice(0, 2).join('.')}.0.0/16`;
    const canonical = canonicalIPv6(address);
    const [first = '', second = ''] = canonical.split('::')[0]!.split(':');
    return `${first || '0'}:${second || '0'}::/32`;
  }

  /** The range of the host, or the name itself; undefined for trusted hosts, which are not counted. */
  ownerOf(host: string): string | undefined {
    return this.isTrusted(host) ? undefined : (this.rangeOf(host) ?? host);
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
