import type { Direction } from './peer.js';

/** Who could have used it well has had the time to. */
const TRIAL_MS = 5 * 60_000;
/** How long a block or entry that was new to us speaks for the peer that brought it. */
const USEFUL_MS = 10 * 60_000;

/**
 * Sessions of one direction at the most. Each has a quarter of the slots to itself: strangers who dial in cannot take
 * the place of nodes that we choose, nor can those shut out newcomers. With fewer than four slots there is none to spare.
 */
export function directionCap(maxPeers: number): number {
  return maxPeers - Math.floor(maxPeers / 4);
}

/** What is asked of a peer that may have to give up its slot. */
export interface SlotHolder {
  readonly direction: Direction;
  readonly connectedAtMs: number;
  readonly latencyMs: number | undefined;
  /** When it last brought a block or entry that was new to us. */
  readonly usefulAtMs: number | undefined;
  readonly session: { readonly remoteHost: string };
}

/**
 * Which peer should make room for a newcomer: an inbound one that has been there for a while and brought nothing.
 * Protected are those that an attacker cannot easily outdo (Bitcoin Core's classes, simplified): who brought something
 * lately, then the quarter with the shortest round trip, then the half of the rest that has been here longest. Of what
 * is left, the host with most sessions loses its youngest.
 * @returns undefined when nobody is clearly worse than a stranger; then it is the newcomer who has to go.
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
