import { BlockList, isIPv6, type Server } from 'node:net';

/** A host that replaces more of its own connections than this in a second is turned away for a while. */
const MOST_RENEWALS = 50;
const COUNTING_MS = 1_000;
const TURNED_AWAY_MS = 10_000;

/**
 * Turns hosts away that renew their connections all the time. Accepting a connection, evicting one for it and reading its
 * request takes most of a millisecond, and newcomers of all hosts are accepted in one order. Node.js closes a connection of
 * a host in `blockList` for a tenth of that.
 */
export class RenewalLimit {
  readonly #servers = new Set<Server>();
  readonly #renewals = new Map<string, number>();
  #blocked = new BlockList();

  watch(server: Server): void {
    this.#servers.add(server);
    setBlockList(server, this.#blocked);
  }

  /**
   * A connection from `address` took the place of another one of the same client.
   * @param client whose limit the address counts against.
   */
  renewed(client: string, address: string): void {
    if (this.#renewals.size === 0) setTimeout(() => this.#renewals.clear(), COUNTING_MS).unref();
    const count = (this.#renewals.get(client) ?? 0) + 1;
    this.#renewals.set(client, count);
    if (count > MOST_RENEWALS) this.#turnAway(address);
  }

  #turnAway(address: string): void {
    if (this.#blocked.rules.length === 0) setTimeout(() => this.#admitAll(), TURNED_AWAY_MS).unref();
    this.#blocked.addAddress(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }

  #admitAll(): void {
    this.#blocked = new BlockList();
    for (const server of this.#servers) setBlockList(server, this.#blocked);
  }
}

/** `http.createServer` does not hand this option on to the server below it, which looks it up for each connection. */
function setBlockList(server: Server, blockList: BlockList): void {
  Object.assign(server, { blockList });
}
