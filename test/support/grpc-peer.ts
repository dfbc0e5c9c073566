import { randomBytes } from 'node:crypto';
import { systemClock } from '../../src/common/clock.js';
import { linkHeader } from '../../src/consensus/block-tree.js';
import type { TlsSection } from '../../src/config/node-config.js';
import type { ConsensusParams } from '../../src/consensus/params.js';
import { GrpcDialer } from '../../src/peers/grpc-dialer.js';
import type { BodyOf } from '../../src/peers/messages.js';
import { Handshake } from '../../src/peers/proof.js';
import { Session, type HandlerTable } from '../../src/peers/session.js';
import { TlsRefusals } from '../../src/peers/tls-refusals.js';
import { silentLog } from './chain-builders.js';
import { identityOf } from './test-identity.js';
import { waitFor } from './wait.js';

/** A peer made of a session alone, over real gRPC: says Hello, then only what a test makes it say. */
export interface GrpcPeer {
  readonly session: Session;
  /** The node's Hello. */
  readonly hello: BodyOf<'hello'>;
  /** Why the session ended, once it has. */
  closedBecause(): string | undefined;
}

/** @throws Error with the reason when the node turns us away instead of saying Hello. */
export async function connectGrpcPeer(
  address: string,
  params: ConsensusParams,
  handlers: HandlerTable = {},
  nodeId = 'test-peer',
  tls?: TlsSection,
): Promise<GrpcPeer> {
  let hello: BodyOf<'hello'> | undefined;
  let goodbye: string | undefined;
  let closed: string | undefined;
  const meter = { sent: () => {}, received: () => {}, receivedUnknown: () => {} };
  const session: Session = new Session(dialerFor(tls).dial(address), systemClock, meter, {
    // The node also sends what the test at hand has no handler for (blocks that it announces to everybody, say).
    misbehaved: () => {},
    failed: (error) => {
      throw error;
    },
    closed: (reason) => (closed = goodbye ?? reason),
  });
  session.handlers = {
    hello: (value) => void (hello = value),
    proof: () => {},
    goodbye: ({ reason }) => void (goodbye = reason),
    ping: ({ tip }) => ({ $case: 'pong', value: { tip } }),
    getPeers: () => ({ $case: 'peers', value: { peers: [] } }),
    getMempool: () => ({ $case: 'mempool', value: { ids: [] } }),
    newTransactions: () => {},
    peers: () => {},
    ...handlers,
  };
  session.open();
  const genesis = linkHeader(params.genesis.hash, params.genesis.header, undefined);
  const self = identityOf(nodeId, { instanceNonce: BigInt(Math.floor(Math.random() * 2 ** 48)) });
  const handshake = new Handshake(self, genesis, 'outbound', randomBytes(32));
  session.notify({ $case: 'hello', value: handshake.hello(genesis) });
  const theirs = await waitFor('the node says Hello or closes', () => hello ?? closed);
  if (typeof theirs === 'string') throw new Error(`turned away: ${theirs}`);
  session.notify({ $case: 'proof', value: handshake.prove(theirs) });
  return { session, hello: theirs, closedBecause: () => closed };
}

function dialerFor(files: TlsSection | undefined): GrpcDialer {
  return new GrpcDialer(files && { files, refusals: new TlsRefusals(silentLog, systemClock) });
}
