/** What a channel reports to the session on top of it. */
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
  /** Host of the other side as the transport sees it (an IP address once there is a connection), for bans and logs. */
  readonly remoteHost: string;
  /** Node id that the transport has proved (by mTLS), once there is a connection; undefined without mTLS. */
  readonly provenNodeId?: string | undefined;
  /** Starts delivery of events, earlier messages included. Called once, possibly after the first `send`. */
  open(events: ChannelEvents): void;
  /** Sends one encoded message. False: accepted, but wait for `drained` before the next. */
  send(bytes: Uint8Array): boolean;
  /** Delivers no more messages, and lets the sender feel it, until `resume`; a few that have come may still follow. */
  pause(): void;
  resume(): void;
  /** Ends the stream once what was sent is written out. */
  close(): void;
}

/** Opens channels to other nodes. A failed dial is a channel that closes before its first message. */
export interface Dialer {
  /** @param address "host:port"; a DNS name is resolved anew at every dial. */
  dial(address: string): Channel;
  /** The IP addresses of a host name; rejects if there are none. Left out if every name stands for one host. */
  resolve?(host: string): Promise<readonly string[]>;
}

export const DIALER = Symbol('Dialer');
