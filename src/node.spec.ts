import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../test/support/chain-builders.js';
import { connectGrpcPeer } from '../test/support/grpc-peer.js';
import { freePort } from '../test/support/node-process.js';
import { waitFor } from '../test/support/wait.js';
import { paramsOf } from './config/consensus-params.js';
import { parseConfig } from './config/load-config.js';
import { createNode, type Node, type NodeOverrides } from './node.js';

describe('createNode', () => {
  const nodes: Node[] = [];
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close();
  });

  const listen = async (overrides: NodeOverrides): Promise<Node> => {
    const settings = { NODE_ID: 'a', DATA_DIR: ':memory:', HTTP_PORT: '0', P2P_HOST: '127.0.0.1' };
    const p2p = { P2P_PORT: String(await freePort()) };
    const env = Object.entries({ ...settings, ...p2p }).map(([key, value]) => [`MINICHAIN_NODE_${key}`, value]);
    const config = parseConfig({ env: { ...Object.fromEntries(env), MINICHAIN_NETWORK_BOOTSTRAP_NODES: 'b:1' } });
    const quiet = { ...config, blockchain: { ...config.blockchain, autoMine: false, threads: 0 } };
    const node = await createNode(quiet, { logger: silentLog, ...overrides });
    nodes.push(node);
    await node.listen();
    return node;
  };
  const greet = async ({ config }: Node): Promise<string> => {
    const peer = await connectGrpcPeer(`127.0.0.1:${config.node.p2pPort}`, paramsOf(config));
    return peer.hello.nodeId;
  };

  it('opens a gRPC server also with a dialer of its own, which it dials by', async () => {
    const dialled: string[] = [];
    const deaf = {
      remoteHost: 'nowhere',
      open: () => {},
      pause: () => {},
      resume: () => {},
      send: () => true,
      close: () => {},
    };
    const dialer = {
      dial: (address: string) => {
        dialled.push(address);
        return deaf;
      },
    };
    const node = await listen({ dialer });
    expect(await greet(node)).toBe('a');
    await waitFor('it dials', () => dialled.length > 0);
    expect(dialled).toEqual(['b:1']);
  });

  it('opens no gRPC server when it is told so', async () => {
    const node = await listen({ grpcServer: false });
    await expect(greet(node)).rejects.toThrow('turned away');
  });
});
