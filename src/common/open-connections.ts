import type { Socket } from 'node:net';

/**
 * The share of all connections that this machine itself may have open, for everything local has one address. Others may
 * have the same share together. So a tenth is kept for each: health checks from here are served however many come from there.
 */
const SHARE = 0.9;
const LOOPBACK = 'loopback';

export interface ConnectionLimits {
  readonly total: number;
  /** Of one client that is not this machine itself. */
  readonly perAddress: number;
}

export interface OpenConnectionsInit {
  readonly limits: ConnectionLimits;
  /** Whose limit an address counts against; undefined for loopback. */
  readonly clientOf: (address: string) => string | undefined;
  /** Does a connection on which something is under way wait for its client, to send the rest or to read? */
  readonly isStalled?: (socket: Socket) => boolean;
  /** Ends a connection for which there is no room; without it, it is just closed. */
  readonly refuse?: (socket: Socket) => void;
}

interface Connection {
  readonly socket: Socket;
  readonly client: string;
  /** Requests or streams under way. */
  busy: number;
  /** On the monotonic clock; since nothing is under way. */
  idleSinceMs: number;
}

/**
 * The open connections of one server, counted in all and for each client address. Where a limit is reached, a newcomer
 * takes the place of a connection that waits for its client: of the client with the most connections, an idle one before
 * one that is stalled, the oldest first. So connections that only hold places cannot keep others out. The newcomer is
 * refused if the node is at work for all of them.
 */
export class OpenConnections {
  /** Oldest first. */
  readonly #open = new Map<Socket, Connection>();
  readonly #counts = new Map<string, number>();
  readonly #given: OpenConnectionsInit;
  #isClosed = false;
  #evicted = 0;
  #refused = 0;

  constructor(given: OpenConnectionsInit) {
    this.#given = given;
  }

  get limits(): ConnectionLimits {
    return this.#given.limits;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Connections closed to make room for a newcomer, since the start. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Newcomers for which there was no room, since the start. */
  get refused(): number {
    return this.#refused;
  }

  /** Takes a connection that was just accepted into account, or ends it. */
  add(socket: Socket): void {
    if (this.#isClosed || socket.remoteAddress === undefined) {
      socket.destroy();
      return;
    }
    const client = this.#given.clientOf(socket.remoteAddress) ?? LOOPBACK;
    if (!this.#makeRoom(client)) {
      this.#refused += 1;
      if (this.#given.refuse === undefined) socket.destroy();
      else this.#given.refuse(socket);
      return;
    }
    this.#open.set(socket, { socket, client, busy: 0, idleSinceMs: performance.now() });
    this.#counts.set(client, this.#countOf(client) + 1);
    socket.once('close', () => this.#forget(socket));
  }

  /** A request or stream begins on the connection. */
  begin(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection !== undefined) connection.busy += 1;
  }

  /** It is over. */
  end(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    connection.busy -= 1;
    connection.idleSinceMs = performance.now();
  }

  /** How many are under way on the connection. */
  busyOn(socket: Socket): number {
    return this.#open.get(socket)?.busy ?? 0;
  }

  /** Is a request or stream under way on any connection? */
  get isBusy(): boolean {
    return [...this.#open.values()].some(({ busy }) => busy > 0);
  }

  /** Closes the connections on which nothing has been under way for so long. */
  closeIdle(idleMs = 0): void {
    const sinceMs = performance.now() - idleMs;
    for (const { socket, busy, idleSinceMs } of this.#open.values()) {
      if (busy === 0 && idleSinceMs <= sinceMs) socket.destroy();
    }
  }

  /** Closes all connections, and every newcomer. */
  closeAll(): void {
    this.#isClosed = true;
    for (const socket of this.#open.keys()) socket.destroy();
  }

  #makeRoom(client: string): boolean {
    const { total, perAddress } = this.#given.limits;
    const isLocal = client === LOOPBACK;
    const share = Math.ceil(total * SHARE);
    if (this.#countOf(client) >= (isLocal ? share : perAddress)) return this.#evict((each) => each.client === client);
    const others = this.#open.size - this.#countOf(LOOPBACK);
    if (!isLocal && others >= share) return this.#evict((each) => each.client !== LOOPBACK);
    return this.#open.size < total || this.#evict(() => true);
  }

  #evict(isCandidate: (connection: Connection) => boolean): boolean {
    let victim: { connection: Connection; rank: number } | undefined;
    for (const connection of this.#open.values()) {
      if (!isCandidate(connection)) continue;
      const isIdle = connection.busy === 0;
      if (!isIdle && this.#given.isStalled?.(connection.socket) !== true) continue;
      const rank = this.#countOf(connection.client) * 2 + Number(isIdle);
      if (victim === undefined || rank > victim.rank) victim = { connection, rank };
    }
    if (victim === undefined) return false;
    this.#evicted += 1;
    this.#forget(victim.connection.socket);
    victim.connection.socket.destroy();
    return true;
  }

  #forget(socket: Socket): void {
    const connection = this.#open.get(socket);
    if (connection === undefined) return;
    this.#open.delete(socket);
    const left = this.#countOf(connection.client) - 1;
    if (left > 0) this.#counts.set(connection.client, left);
    else this.#counts.delete(connection.client);
  }

  #countOf(client: string): number {
    return this.#counts.get(client) ?? 0;
  }
}
