import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { NEWER_PROTO, OLDER_PROTO, ProtoPeer, type ProtoChanges, type ProtoMessage } from '../support/proto-peer.js';
import { waitFor } from '../support/wait.js';

const SETTINGS = {
  BLOCKCHAIN_AUTO_MINE: 'false',
  BLOCKCHAIN_DIFFICULTY: '0',
  NETWORK_HEARTBEAT_SECONDS: '1',
};

/** A kind of peer: how its .proto differs, and what it puts into messages that today's nodes know. */
interface Kind {
  readonly changes: ProtoChanges;
  readonly hello: object;
  readonly pong: object;
  readonly result: string;
}

const OLDER: Kind = { changes: OLDER_PROTO, hello: {}, pong: {}, result: 'RESULT_DUPLICATE' };
const NEWER: Kind = {
  changes: NEWER_PROTO,
  hello: { features: ['of-tomorrow', 'unsupported'], proof: Buffer.alloc(64, 7) },
  pong: { mood: 'cheerful' },
  result: 'RESULT_LATER',
};

describe('node processes with a peer written from the .proto', () => {
  const processes = useNodeProcesses(SETTINGS);
  const peers: ProtoPeer[] = [];
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.close();
  });

  /** An honest peer that has nothing but the genesis block. */
  const meet = async (node: NodeProcess, nodeId: string, kind: Kind): Promise<ProtoPeer> => {
    const peer = await ProtoPeer.dial(node.p2pAddress, `${processes.path}/${nodeId}-${node.nodeId}`, kind.changes);
    peers.push(peer);
    const { hash } = await node.get<{ hash: string }>('/blocks/0');
    const internal = Buffer.from(hash, 'hex').reverse();
    const tip = { length: 1, chain_work: Buffer.from([1]), hash: internal };
    peer.answers = {
      ping: () => ({ pong: { tip, ...kind.pong } }),
      get_peers: () => ({ peers: { peers: [] } }),
      get_mempool: () => ({ mempool: { ids: [] } }),
      new_block: () => ({ verdict: { result: kind.result } }),
    };
    const hello = { protocol_version: 1, genesis_hash: internal, node_id: nodeId, tip, user_agent: 'by hand' };
    const instance_nonce = createHash('sha256')
      .update(nodeId + node.nodeId)
      .digest()
      .readBigUInt64LE()
      .toString();
    await peer.greet({ ...hello, instance_nonce, ...kind.hello });
    return peer;
  };
  const metric = async (node: NodeProcess, name: string): Promise<number> => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    const values = text.split('\n').filter((line) => line.startsWith(name));
    return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  };
  /** Nobody was blamed, and nobody left. */
  const expectPeace = async (node: NodeProcess, id: string): Promise<void> => {
    const { peers: listed } = await node.get<{ peers: { id: string; connected: boolean; score: number }[] }>('/peers');
    expect(listed.map((peer) => [peer.id, peer.connected, peer.score])).toEqual([[id, true, 0]]);
    expect(await node.get('/peers/bans')).toEqual({ bans: [] });
    expect(await metric(node, 'minichain_peer_misbehaviour_total')).toBe(0);
  };
  const count = ({ received }: ProtoPeer, body: string): number => received.filter((one) => one.body === body).length;
  /** Hands every block that comes from one node on to the other. */
  const relay = (from: ProtoPeer, to: ProtoPeer, result: string): void => {
    from.answers = {
      ...from.answers,
      new_block: (message: ProtoMessage) => {
        to.send({ id: 1_000_000 + message.id!, new_block: message['new_block'] });
        return { verdict: { result } };
      },
    };
  };

  it.each([
    ['older', OLDER],
    ['newer', NEWER],
  ])('keep a peer of another, %s protocol, and accept the blocks that it relays', async (_, kind) => {
    const [one, two] = [await processes.create('node-1'), await processes.create('node-2')];
    await Promise.all([one.spawn().ready(), two.spawn().ready()]);
    const [left, right] = [await meet(one, 'stranger', kind), await meet(two, 'stranger', kind)];
    relay(left, right, kind.result);
    await one.submit('carried by a stranger');
    await one.post('/mine', { blocks: 3 });
    await waitFor('the other node has the blocks', async () => {
      const [a, b] = await Promise.all([one, two].map((node) => node.get<{ tip: string; height: number }>('/status')));
      return a!.height === 3 && a!.tip === b!.tip;
    });
    await waitFor('some heartbeats', () => [left, right].every((peer) => count(peer, 'ping') >= 4));
    for (const node of [one, two]) await expectPeace(node, 'stranger');
    // The peer understands every message that it got: proto-loader shows an unknown body as none.
    expect([left, right].flatMap(({ received }) => received).filter(({ body }) => body === undefined)).toEqual([]);
  });

  it('ignore what only a newer one knows, and answer its requests with Unsupported', async () => {
    const node = await processes.create('node-1');
    await node.spawn().ready();
    const peer = await meet(node, 'newer', NEWER);
    const tomorrow = { text: 'x'.repeat(1_000), number: 5 };
    for (let index = 0; index < 50; index++) {
      peer.send({ tomorrow });
      peer.send({ id: 100 + index, tomorrow });
      peer.send({ in_reply_to: 4_000_000 + index, tomorrow });
    }
    for (let index = 0; index < 50; index++) await peer.next('unsupported', (one) => one.in_reply_to === 100 + index);
    expect(count(peer, 'unsupported')).toBe(50);
    expect(await metric(node, 'minichain_peer_unknown_messages_total')).toBe(150);
    // Neither an Unsupported nor an unknown body in answer to a request of the node costs the peer anything.
    peer.answers = { ...peer.answers, new_block: () => ({ unsupported: {} }), get_peers: () => ({ tomorrow }) };
    await node.post('/mine', { blocks: 2 });
    await peer.next('new_block');
    peer.send({ id: 900, get_chain_length: {} });
    await peer.next('chain_length');
    await expectPeace(node, 'newer');
  });

  it('treat a flood of unknown messages as any other flood', async () => {
    const node = await processes.create('node-1');
    await node.spawn().ready();
    const peer = await meet(node, 'flooder', NEWER);
    for (let index = 0; index < 5_000; index++) peer.send({ tomorrow: { number: index } });
    await waitFor('the flooder is dropped', () => peer.isClosed);
    expect(peer.received.find(({ body }) => body === 'goodbye')).toMatchObject({
      goodbye: { reason: 'flood of unknown' },
    });
    expect(await metric(node, 'minichain_peer_bans_total')).toBe(0);
  });
});
