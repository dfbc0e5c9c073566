/** What a channel tells the session on top of it. */
export interface ChannelEvents {
  /** One encoded PeerMessage. */
  message(bytes: Uint8Array): void;
  /** The channel takes messages again after `send` returned false. */
  drained(): void;
  /** The channel is gone, by either side or by a fault; called once, and nothing is called after it. */
  closed(reason: string): void;
}

/**
 * A two-way ordered stream of encoded messages between two nodes: the port that a session stands on. The gRPC adapter
 * and the memory transport of the simulator are the only two implementations that know how bytes travel.
 */
export interface Channel {
  /** Host of the other side as the transport sees it (an IP address, once there is a connection); for bans and logs. */
  readonly remoteHost: string;
  /** Node id that the transport has proof of (mTLS), once there is a connection; none where it asks for no proof. */
  readonly provenNodeId?: string | undefined;
  /** Begins delivery of events. Called once, maybe after the first `send`; messages that came before are delivered then. */
  open(events: ChannelEvents): void;
  /** Hands over one encoded message. False: taken, but wait for `drained` before the next. */
  send(bytes: Uint8Array): boolean;
  /** Ends the stream once what was sent is written out. */
  close(): void;
}

/** Opens channels to other nodes. A dial that fails shows as a channel that closes before its first message. */
export interface Dialer {
  /** @param address "host:port"; a DNS name is resolved anew at every dial. */
  dial(address: string): Channel;
  /** The IP addresses of a host name; rejects when there are none. Left out where each name stands for one host. */
  resolve?(host: string): Promise<readonly string[]>;
}

export const DIALER = Symbol('Dialer');
