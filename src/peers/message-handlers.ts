import type { ChainService } from '../chain/chain.service.js';
import type { Discovery } from './discovery.js';
import type { Gossip } from './gossip.js';
import { serveHeaders } from './header-sync.js';
import type { Peer } from './peer.js';
import { serveBlocks } from './serve-blocks.js';
import type { HandlerTable } from './session.js';
import { LIMITS, decodeHash, decodeHashes, encodeTip } from './wire.js';

export interface MessageHandlersInit {
  readonly chain: ChainService;
  readonly discovery: Discovery;
  readonly gossip: Gossip;
}

/** Every message that a peer may send after the Hellos except for the heartbeat, and who handles it. */
export function messageHandlers(peer: Peer, { chain, discovery, gossip }: MessageHandlersInit): HandlerTable {
  return {
    getPeers: () => ({ $case: 'peers', value: discovery.serve() }),
    peers: (message) => discovery.receive(peer, message),
    getChainLength: () => ({ $case: 'chainLength', value: { tip: encodeTip(chain.tip) } }),
    getHeaders: ({ locator, stopHash }) => {
      const stop = stopHash.length === 0 ? undefined : decodeHash(stopHash);
      const headers = serveHeaders(chain, decodeHashes(locator, LIMITS.locator), stop);
      peer.limits.servedHeaders(headers.length);
      return { $case: 'headers', value: { headers: headers.map((raw) => ({ raw })) } };
    },
    getBlocks: (message) => ({ $case: 'blocks', value: serveBlocks(chain, message) }),
    newBlock: async (message) => ({ $case: 'verdict', value: await gossip.receiveBlock(peer, message) }),
    newTransactions: (message) => gossip.receiveTransactions(peer, message),
    getTransactions: (message) => ({ $case: 'transactions', value: gossip.serveTransactions(peer, message) }),
    getMempool: async () => ({ $case: 'mempool', value: await gossip.serveMempool() }),
  };
}
