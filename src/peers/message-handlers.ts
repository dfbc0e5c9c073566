import type { ChainService } from '../chain/chain.service.js';
import type { Discovery } from './discovery.js';
import type { EntryGossip } from './entry-gossip.js';
import type { Gossip } from './gossip.js';
import { serveHeaders } from './header-sync.js';
import type { Body, BodyOf } from './messages.js';
import type { Peer } from './peer.js';
import { serveBlocks } from './serve-blocks.js';
import type { Serving, ServingTurns } from './serving-turns.js';
import type { HandlerTable } from './session.js';
import { LIMITS, decodeHash, decodeHashes, encodeTip } from './wire.js';

/** To read, encode and send one of these takes as long as so many bytes more. */
const BLOCK_COST = 1_024;
const ENTRY_COST = 256;
const HEADER_COST = 512;
const ID_COST = 64;

export interface MessageHandlersInit {
  readonly chain: ChainService;
  readonly discovery: Discovery;
  readonly gossip: Gossip;
  readonly entries: EntryGossip;
  readonly serving: ServingTurns;
}

/** Every message that a peer may send after the Hellos except for the heartbeat, and who handles it. */
export function messageHandlers(peer: Peer, init: MessageHandlersInit): HandlerTable {
  const { chain, discovery, gossip, entries, serving } = init;
  const { session } = peer;
  // Without an answer in time the peer asks again, or somebody else.
  const none = (): undefined => {};
  return {
    getPeers: () => ({ $case: 'peers', value: discovery.serve() }),
    peers: (message) => discovery.receive(peer, message),
    getChainLength: () => ({ $case: 'chainLength', value: { tip: encodeTip(chain.tip) } }),
    getHeaders: (message) => serving.serve(session, () => headersFor(peer, chain, message), none),
    getBlocks: (message) => {
      // To have nothing is no fault, but to be silent is one.
      const late = (): Body => ({ $case: 'blocks', value: { blocks: [] } });
      return serving.serve(session, () => blocksFor(chain, message), late);
    },
    newBlock: async (message) => ({ $case: 'verdict', value: await gossip.receiveBlock(peer, message) }),
    newTransactions: (message) => entries.receiveTransactions(peer, message),
    getTransactions: (message) => serving.serve(session, () => entriesFor(peer, entries, message), none),
    getMempool: async () => {
      const cost = entries.pendingCount * ID_COST;
      const isMyTurn = await serving.serve(session, () => ({ answer: true, cost }), none);
      return isMyTurn === undefined ? undefined : { $case: 'mempool', value: await entries.serveMempool() };
    },
  };
}

function headersFor(peer: Peer, chain: ChainService, { locator, stopHash }: BodyOf<'getHeaders'>): Serving<Body> {
  const stop = stopHash.length === 0 ? undefined : decodeHash(stopHash);
  const headers = serveHeaders(chain, decodeHashes(locator, LIMITS.locator), stop).map((raw) => ({ raw }));
  peer.limits.servedHeaders(headers.length);
  return { answer: { $case: 'headers', value: { headers } }, cost: headers.length * HEADER_COST };
}

function blocksFor(chain: ChainService, message: BodyOf<'getBlocks'>): Serving<Body> {
  const value = serveBlocks(chain, message);
  return { answer: { $case: 'blocks', value }, cost: sizeOf(value.blocks) + value.blocks.length * BLOCK_COST };
}

function entriesFor(peer: Peer, entries: EntryGossip, message: BodyOf<'getTransactions'>): Serving<Body> {
  const value = entries.serveTransactions(peer, message);
  const cost = sizeOf(value.transactions) + value.transactions.length * ENTRY_COST;
  return { answer: { $case: 'transactions', value }, cost };
}

function sizeOf(items: readonly { readonly raw: Uint8Array }[]): number {
  return items.reduce((sum, { raw }) => sum + raw.length, 0);
}
