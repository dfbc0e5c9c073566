import { isIP } from 'node:net';
import type { Clock } from '../common/clock.js';
import type { Logger } from '../common/logger.js';
import type { Random } from '../common/random.js';
import { formatAddress, parseAddress } from '../config/address.js';
import { isLoopback } from '../config/address.js';
import { hostOf } from './address.js';
import type { Dialer } from './channel.js';
import type { PeerBook } from './peer-book.js';

/** Addresses learnt from one lookup; if a name has more, the next lookup learns others. */
const MAX_ADDRESSES = 32;
/** A name that has led to ourselves is dialled again after this time: behind a load balancer it may lead elsewhere. */
const OWN_AGAIN_MS = 60_000;

export interface SeedsInit {
  /** "host:port" each. */
  readonly bootstrap: readonly string[];
  readonly book: PeerBook;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Names of bootstrap nodes that may stand for more than one: a headless service, a DNS seed, all containers of a
 * scaled service. Such a name is never dialled itself, since the one node that it happens to lead to might be ourselves
 * or dead. The addresses behind it are learnt each time the name is due, so that later nodes are found too.
 */
export class Seeds {
  readonly #given: SeedsInit;
  readonly #names: ReadonlySet<string>;
  readonly #failing = new Set<string>();
  readonly #ownUntilMs = new Map<string, number>();
  #isStopped = false;

  constructor(given: SeedsInit) {
    this.#given = given;
    this.#names = new Set(given.dialer.resolve === undefined ? [] : given.bootstrap.filter(isName));
  }

  /** Is it a name that has to be looked up before it is dialled? */
  has(address: string): boolean {
    return this.#names.has(address);
  }

  /** Learns the addresses of a name that has several. Resolves with whether to dial the name; never rejects. */
  async lookUp(address: string): Promise<boolean> {
    const found = await this.#addressesOf(address);
    if (this.#isStopped) return false;
    if (found.length > 1) {
      this.#given.book.leadsElsewhere(address);
      for (const one of this.#some(found)) {
        if (this.#given.book.learnSeed(one))
          this.#given.log.debug({ address: one, from: address }, `Learnt address ${one}`);
      }
      return false;
    }
    return found.length === 1 && this.#given.clock.monotonicMs() >= (this.#ownUntilMs.get(address) ?? -Infinity);
  }

  /** The results of pending lookups are ignored from now on: the address book is closed. */
  stop(): void {
    this.#isStopped = true;
  }

  /** A dial of the name has led to ourselves. */
  ledToSelf(address: string): void {
    this.#ownUntilMs.set(address, this.#given.clock.monotonicMs() + OWN_AGAIN_MS);
    this.#given.book.leadsElsewhere(address);
  }

  /** "ip:port" each; none if the lookup fails, which counts as a failed dial. */
  async #addressesOf(address: string): Promise<string[]> {
    const { host, port } = parseAddress(address)!;
    try {
      const hosts = await this.#given.dialer.resolve!(host);
      this.#failing.delete(address);
      const found = hosts.map((ip) => formatAddress({ host: ip, port }));
      return [...new Set(found)].filter((one) => parseAddress(one) !== undefined);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const level = this.#failing.has(address) ? 'debug' : 'info';
      this.#failing.add(address);
      this.#given.log[level](
        { address, reason: code ?? message },
        `Cannot find ${host}, trying again from time to time`,
      );
      return [];
    }
  }

  #some(addresses: readonly string[]): string[] {
    const start = Math.floor(this.#given.random.next() * addresses.length);
    return [...addresses.slice(start), ...addresses.slice(0, start)].slice(0, MAX_ADDRESSES);
  }
}

function isName(address: string): boolean {
  const host = hostOf(address);
  return isIP(host) === 0 && !isLoopback(host);
}
