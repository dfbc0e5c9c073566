import type { ChainService } from '../../src/chain/chain.service.js';
import type { BlockNode } from '../../src/consensus/block-tree.js';
import type { RuleError } from '../../src/consensus/rule-error.js';
import type { Channel } from '../../src/peers/channel.js';
import type { SelfIdentity } from '../../src/peers/handshake.js';
import { serveHeaders } from '../../src/peers/header-sync.js';
import type { Body, BodyCase, BodyOf, WireError } from '../../src/peers/messages.js';
import { Peer } from '../../src/peers/peer.js';
import type { NodeKey } from '../../src/peers/node-key.js';
import { Handshake } from '../../src/peers/proof.js';
import { PeerLimits } from '../../src/peers/rate-limits.js';
import { ReadingPaces } from '../../src/peers/reading-pace.js';
import { serveBlocks } from '../../src/peers/serve-blocks.js';
import { Session, type HandlerTable } from '../../src/peers/session.js';
import { decodeHashes, decodeTip, encodeTip, LIMITS, type PeerTip } from '../../src/peers/wire.js';
import type { MemoryNetwork } from './memory-network.js';
import { identityOf, keyOf } from './test-identity.js';

const silentMeter = { sent: () => {}, received: () => {}, receivedUnknown: () => {} };

/** How the Hello of a scripted peer differs from an honest one: as another node, and in any field. */
export type HelloChange = Partial<BodyOf<'hello'>>;

/**
 * A peer that a test plays: it notes every message, and answers by the handlers it is given; otherwise it is silent. Once
 * both Hellos are said it proves its key, unless `isProving` is false.
 */
export class ScriptedPeer {
  readonly received: Body[] = [];
  handlers: HandlerTable;
  session!: Session;
  closedBecause: string | undefined;
  /** The key that it has; by default that of its name. */
  key: NodeKey;
  isProving = true;
  /** The Hello and the Proof that it sent last. */
  ours: BodyOf<'hello'> | undefined;
  proof: BodyOf<'proof'> | undefined;
  #direction: 'inbound' | 'outbound' = 'inbound';
  #handshake: Handshake | undefined;
  #theirs: BodyOf<'hello'> | undefined;

  constructor(
    readonly net: MemoryNetwork,
    readonly name: string,
    handlers: HandlerTable = {},
  ) {
    this.handlers = handlers;
    this.key = keyOf(name);
  }

  get address(): string {
    return `${this.name}:9000`;
  }

  /** Takes channels that are dialled to it. */
  listen(): void {
    this.net.listen(this.address, (channel) => this.open(channel));
  }

  /** Dials a node. */
  dial(address: string): void {
    this.open(this.net.dialerOf(this.name).dial(address), 'outbound');
  }

  open(channel: Channel, direction: 'inbound' | 'outbound' = 'inbound'): void {
    this.closedBecause = undefined;
    this.#direction = direction;
    this.#handshake = undefined;
    this.#theirs = undefined;
    this.session = new Session(channel, this.net.clock, silentMeter, {
      misbehaved: () => {},
      failed: (error) => {
        throw error;
      },
      closed: (reason) => {
        this.closedBecause = this.last('goodbye')?.reason ?? reason;
      },
    });
    this.session.handlers = new Proxy<HandlerTable>(
      {},
      {
        get: (_, kind: BodyCase) => (value: never) => {
          this.received.push({ $case: kind, value });
          if (kind === 'hello') this.#heardHello(value);
          return this.handlers[kind]?.(value);
        },
      },
    );
    this.session.open();
  }

  /** Says Hello as a node with this genesis and tip would. */
  sayHello(genesis: BlockNode, tip: BlockNode = genesis, change: HelloChange = {}): void {
    const advertisedAddress = this.address;
    const honest = identityOf(this.name, { key: this.key, advertisedAddress, userAgent: 'scripted' });
    const self: SelfIdentity = {
      ...honest,
      nodeId: change.nodeId ?? honest.nodeId,
      instanceNonce: change.instanceNonce ?? honest.instanceNonce,
    };
    const handshake = new Handshake(self, genesis, this.#direction, this.net.random.bytes(32));
    this.ours = { ...handshake.hello(tip), ...change };
    this.session.notify({ $case: 'hello', value: this.ours });
    if (this.#handshake !== undefined) return;
    this.#handshake = handshake;
    this.#prove();
  }

  #heardHello(hello: BodyOf<'hello'>): void {
    this.#theirs = hello;
    this.#prove();
  }

  #prove(): void {
    if (!this.isProving || this.#handshake === undefined || this.#theirs === undefined) return;
    this.proof = this.#handshake.prove(this.#theirs);
    this.session.notify({ $case: 'proof', value: this.proof });
  }

  count(kind: BodyCase): number {
    return this.received.filter(({ $case }) => $case === kind).length;
  }

  last<C extends BodyCase>(kind: C): BodyOf<C> | undefined {
    return this.received.findLast(({ $case }) => $case === kind)?.value as BodyOf<C> | undefined;
  }
}

/** Answers of an honest node that has this chain. */
export function serving(chain: ChainService): HandlerTable {
  return {
    getHeaders: ({ locator }) => {
      const headers = serveHeaders(chain, decodeHashes(locator, LIMITS.locator), undefined);
      return { $case: 'headers', value: { headers: headers.map((raw) => ({ raw })) } };
    },
    getBlocks: (message) => ({ $case: 'blocks', value: serveBlocks(chain, message) }),
    getPeers: () => ({ $case: 'peers', value: { peers: [] } }),
    getMempool: () => ({ $case: 'mempool', value: { ids: [] } }),
    ping: () => ({ $case: 'pong', value: { tip: encodeTip(chain.tip) } }),
  };
}

/** Our end of a session with a scripted peer, as sync and download see it. */
export interface PeerLink {
  readonly peer: Peer;
  readonly remote: ScriptedPeer;
  /** Codes for which the session blamed it. */
  readonly blamed: string[];
}

export function linkTo(net: MemoryNetwork, name: string, handlers: HandlerTable, tip: BlockNode | PeerTip): PeerLink {
  const remote = new ScriptedPeer(net, name, handlers);
  remote.listen();
  const blamed: string[] = [];
  const session = new Session(net.dialerOf('us').dial(remote.address), net.clock, silentMeter, {
    misbehaved: ({ code }: WireError | RuleError) => void blamed.push(code),
    failed: (error) => {
      throw error;
    },
    closed: () => {},
  });
  session.open();
  const limits = new PeerLimits(net.clock);
  const features = new Set<string>();
  const identity = {
    key: keyOf(name).id,
    nodeId: name,
    instanceNonce: 0n,
    userAgent: '',
    address: remote.address,
    features,
  };
  const shown = 'length' in tip ? tip : decodeTip(encodeTip(tip));
  return {
    peer: new Peer({
      identity,
      session,
      direction: 'outbound',
      dialled: remote.address,
      tip: shown,
      connectedAtMs: net.clock.monotonicMs(),
      lastSeenMs: net.clock.nowMs(),
      limits,
      reading: new ReadingPaces(net.clock).enter(session),
    }),
    remote,
    blamed,
  };
}
