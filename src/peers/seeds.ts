import { isIP } from 'node:net';
import type { Clock } from '../common/clock.js';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { formatAddress, parseAddress } from '../config/address.js';
import { hostOf, isLoopback } from './address.js';
import type { Dialer } from './channel.js';
import type { PeerBook } from './peer-book.js';

/** Of one name at a time; where it has more, it is others' turn at the next look. */
const MAX_ADDRESSES = 32;
/** A name that has led to ourselves is dialled again after this long: behind a load balancer it may lead elsewhere. */
const OWN_AGAIN_MS = 60_000;

/**
 * Names of bootstrap nodes that may stand for more than one: a headless service, a DNS seed, all containers of a
 * scaled service. Such a name is never dialled itself, since the one node that it happened to lead to might be ourselves or
 * dead; the addresses behind it are learnt, again whenever the name is due, so that nodes which come later are found too.
 */
export class Seeds {
  readonly #names: ReadonlySet<string>;
  readonly #failing = new Set<string>();
  readonly #ownUntilMs = new Map<string, number>();
  #isStopped = false;

  /** @param bootstrap "host:port" each. */
  constructor(
    bootstrap: readonly string[],
    private readonly book: PeerBook,
    private readonly dialer: Dialer,
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly log: Logger,
  ) {
    this.#names = new Set(dialer.resolve === undefined ? [] : bootstrap.filter(isName));
  }

  /** Is it a name that has to be looked up before anything is dialled? */
  has(address: string): boolean {
    return this.#names.has(address);
  }

  /** Learns what the name leads to, if that is several addresses. Resolves with whether to dial the name; never rejects. */
  async lookUp(address: string): Promise<boolean> {
    const found = await this.#addressesOf(address);
    if (this.#isStopped) return false;
    if (found.length > 1) {
      this.book.leadsElsewhere(address);
      for (const one of this.#some(found)) {
        if (this.book.learn(one)) this.log.debug({ address: one, from: address }, 'address learnt');
      }
      return false;
    }
    return found.length === 1 && this.clock.nowMs() >= (this.#ownUntilMs.get(address) ?? 0);
  }

  /** What is being looked up still is of no use any more: the address book is closed. */
  stop(): void {
    this.#isStopped = true;
  }

  /** A dial of the name has led to ourselves. */
  ledToSelf(address: string): void {
    this.#ownUntilMs.set(address, this.clock.nowMs() + OWN_AGAIN_MS);
    this.book.leadsElsewhere(address);
  }

  /** "ip:port" each; none when the lookup fails, which is an ordinary failed dial. */
  async #addressesOf(address: string): Promise<string[]> {
    const { host, port } = parseAddress(address)!;
    try {
      const hosts = await this.dialer.resolve!(host);
      this.#failing.delete(address);
      const found = hosts.map((ip) => formatAddress({ host: ip, port }));
      return [...new Set(found)].filter((one) => parseAddress(one) !== undefined);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const level = this.#failing.has(address) ? 'debug' : 'info';
      this.#failing.add(address);
      this.log[level]({ address, reason: code ?? message }, `Cannot find ${host}, trying again from time to time`);
      return [];
    }
  }

  #some(addresses: readonly string[]): string[] {
    const start = Math.floor(this.random.next() * addresses.length);
    return [...addresses.slice(start), ...addresses.slice(0, start)].slice(0, MAX_ADDRESSES);
  }
}

function isName(address: string): boolean {
  const host = hostOf(address);
  return isIP(host) === 0 && !isLoopback(host);
}
