import type { Direction } from './peer.js';

/** A peer this old has had enough time to be useful. */
const TRIAL_MS = 5 * 60_000;
/** How long a block or entry that was new to us protects the peer that brought it. */
const USEFUL_MS = 10 * 60_000;

/**
 * The maximum of sessions in one direction. A quarter of the slots is reserved for each: strangers who dial in cannot
 * take the place of nodes that we choose, nor can those shut out newcomers. Fewer than four slots are not divided.
 */
export function directionCap(maxPeers: number): number {
  return maxPeers - Math.floor(maxPeers / 4);
}

/**
 * Slots that only bootstrap nodes and anchors may take, so that an attacker whose addresses fill the rest cannot keep
 * them out: one of 4 to 15 slots, otherwise an eighth.
 */
export function keptSlots(maxPeers: number): number {
  return maxPeers < 4 ? 0 : Math.max(1, Math.floor(maxPeers / 8));
}

/** The maximum of inbound sessions from one untrusted host; some nodes may stand behind one router. */
export function inboundHostCap(maxPeers: number): number {
  return Math.max(2, Math.floor(directionCap(maxPeers) / 8));
}

/** The maximum of inbound sessions from one untrusted range. */
export function inboundRangeCap(maxPeers: number): number {
  return Math.max(4, Math.floor(directionCap(maxPeers) / 4));
}

/** The maximum of outbound sessions to one untrusted range, or to one name. */
export const OUTBOUND_RANGE_CAP = 2;

/** What counts when a peer may have to give up its slot. */
export interface SlotHolder {
  readonly direction: Direction;
  readonly connectedAtMs: number;
  readonly latencyMs: number | undefined;
  /** When it last brought a block or entry that was new to us. */
  readonly usefulAtMs: number | undefined;
  readonly session: { readonly remoteHost: string };
}

/**
 * Proposes the peer to evict for a newcomer: an inbound one that has been connected for a while and brought nothing.
 * Peers that an attacker cannot easily imitate are protected (Bitcoin Core's classes, simplified): those that brought
 * something lately, then the quarter with the shortest round trip, then the half of the rest that has been connected
 * longest. Of the others, the host with most sessions loses its youngest.
 * @returns undefined if no peer is clearly worse than a stranger; then the newcomer has to go.
 */
export function planEviction<T extends SlotHolder>(peers: Iterable<T>, nowMs: number): T | undefined {
  const inbound = [...peers].filter(({ direction }) => direction === 'inbound');
  const idle = inbound.filter(({ usefulAtMs }) => nowMs - (usefulAtMs ?? -Infinity) > USEFUL_MS);
  idle.sort((a, b) => (a.latencyMs ?? Infinity) - (b.latencyMs ?? Infinity));
  const distant = idle.slice(Math.floor(inbound.length / 4));
  distant.sort((a, b) => a.connectedAtMs - b.connectedAtMs);
  const candidates = distant
    .slice(Math.ceil(distant.length / 2))
    .filter(({ connectedAtMs }) => nowMs - connectedAtMs >= TRIAL_MS);
  const sessionsOf = (host: string): number => inbound.filter(({ session }) => session.remoteHost === host).length;
  return candidates
    .map((peer) => ({ peer, sessions: sessionsOf(peer.session.remoteHost) }))
    .sort((a, b) => b.sessions - a.sessions || b.peer.connectedAtMs - a.peer.connectedAtMs)[0]?.peer;
}
