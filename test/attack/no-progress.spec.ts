import { afterEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load-config.js';
import { paramsOf } from '../../src/config/consensus-params.js';
import { genesisNode, mineChain } from '../support/chain-builders.js';
import { entriesOf, type NodeProcess } from '../support/node-process.js';
import { useNodeProcesses } from '../support/node-processes.js';
import { ProtoPeer, type ProtoMessage } from '../support/proto-peer.js';
import { waitFor } from '../support/wait.js';

const SETTINGS = { BLOCKCHAIN_DIFFICULTY: '0', NETWORK_HEARTBEAT_SECONDS: '1' };
const DRIP_MS = 1_700;

const env = { MINICHAIN_NODE_NODE_ID: 'any', MINICHAIN_BLOCKCHAIN_DIFFICULTY: SETTINGS.BLOCKCHAIN_DIFFICULTY };
const genesis = genesisNode(paramsOf(parseConfig({ env })));

function internal(hash: string): Buffer {
  return Buffer.from(hash, 'hex').reverse();
}

/** What a peer says of its tip. */
interface Claim {
  readonly length: number;
  readonly chain_work: Buffer;
  readonly hash: Buffer;
}

const GENESIS_CLAIM: Claim = { length: 1, chain_work: Buffer.from([1]), hash: internal(genesis.hash) };

describe('an honest pair of processes', () => {
  const processes = useNodeProcesses(SETTINGS);
  const peers: ProtoPeer[] = [];
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.close();
  });

  const meet = async (
    node: NodeProcess,
    nodeId: string,
    tip: Claim,
    answers: ProtoPeer['answers'] = {},
  ): Promise<ProtoPeer> => {
    const peer = await ProtoPeer.dial(node.p2pAddress, `${processes.path}/${nodeId}-${node.nodeId}`, []);
    peers.push(peer);
    peer.answers = {
      ping: () => ({ pong: { tip } }),
      get_peers: () => ({ peers: { peers: [] } }),
      get_mempool: () => ({ mempool: { ids: [] } }),
      new_block: () => ({ verdict: { result: 'RESULT_ACCEPTED' } }),
      ...answers,
    };
    const genesis_hash = internal(genesis.hash);
    const instance_nonce = String(nodeId.length * 1_000 + peers.length);
    const hello = { protocol_version: 1, genesis_hash, node_id: nodeId, tip, user_agent: 'attacker', instance_nonce };
    await peer.greet(hello);
    return peer;
  };

  it('lets a newcomer sync beside a peer that sends blocks drop by drop', async () => {
    const [source, newcomer] = await Promise.all([processes.create('source'), processes.create('newcomer')]);
    await source.spawn().ready();
    for (let round = 0; round < 3; round++) await source.post('/mine', { blocks: 500 });
    const { tip } = await source.get<{ tip: string }>('/chain?limit=1');
    const relay = await meet(source, 'relay', GENESIS_CLAIM);
    let requests = 0;
    /** What the source answers. */
    const ask = async (body: ProtoMessage, answer: string): Promise<ProtoMessage> => {
      const id = ++requests;
      relay.send({ id, ...body });
      const { [answer]: value } = await relay.next(answer, (message) => message.in_reply_to === id);
      return { [answer]: value };
    };
    await newcomer.spawn().ready();
    const claim = { length: 1_501, chain_work: Buffer.from('05dd', 'hex'), hash: internal(tip) };
    const drip = await meet(
      newcomer,
      'drip',
      { ...claim, chain_work: Buffer.alloc(16, 0xff) },
      {
        get_headers: ({ get_headers }) => ask({ get_headers }, 'headers'),
        get_blocks: async ({ get_blocks }) => {
          const { hashes } = get_blocks as { hashes: Buffer[] };
          const answer = await ask({ get_blocks: { hashes: hashes.slice(-1) } }, 'blocks');
          await new Promise((resolve) => setTimeout(resolve, DRIP_MS));
          return answer;
        },
      },
    );
    await drip.next('get_blocks');
    const honest = await processes.create('honest');
    const startMs = performance.now();
    await honest.spawn([source, newcomer]).ready();
    await waitFor(
      'the newcomer has all blocks',
      async () => (await newcomer.get<{ tip: string }>('/chain?limit=1')).tip === tip,
      60_000,
    );
    console.log(`beside a drip, 1,500 blocks took ${Math.round(performance.now() - startMs)} ms`);
  });

  it('mines, gossips and stays ready beside a peer that shows a better branch without blocks', async () => {
    const [a, b] = await Promise.all([processes.create('a'), processes.create('b')]);
    await a.spawn().ready();
    await b.spawn([a]).ready();
    await b.connectedTo(a);
    const { blocks, nodes } = mineChain(genesis, 1_000);
    const end = nodes.at(-1)!;
    const claim = {
      length: 1_001,
      chain_work: Buffer.from(end.chainWork.toString(16).padStart(8, '0'), 'hex'),
      hash: internal(end.hash),
    };
    const headers = blocks.map(({ bytes }) => ({ raw: bytes.subarray(0, 80) }));
    const silent = await Promise.all(
      [a, b].map((node) =>
        meet(node, 'heavy', claim, {
          get_headers: () => ({ headers: { headers } }),
          get_blocks: () => new Promise<ProtoMessage>(() => {}),
        }),
      ),
    );
    await Promise.all(silent.map((peer) => peer.next('get_blocks')));
    const took: number[] = [];
    for (let round = 0; round < 10; round++) {
      const startMs = performance.now();
      const [from, to] = round % 2 === 0 ? [a, b] : [b, a];
      await from.submit(`round ${round}`);
      await waitFor(
        `entry ${round} is in a block at ${to.nodeId}`,
        async () => entriesOf(await to.chain()).includes(`round ${round}`),
        10_000,
      );
      took.push(Math.round(performance.now() - startMs));
      for (const node of [a, b]) expect((await fetch(`${node.url}/health/ready`)).status).toBe(200);
    }
    console.log(`beside a branch without blocks, entries took ${took.join(', ')} ms`);
  });
});
