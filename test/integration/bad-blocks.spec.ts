import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linkHeader } from '../../src/consensus/block-tree.js';
import { createBlock, type Block } from '../../src/consensus/block.js';
import { isHashBelowTarget } from '../../src/consensus/target.js';
import { createParams } from '../../src/consensus/params.js';
import type { BodyOf } from '../../src/peers/messages.js';
import { encodeTip } from '../../src/peers/wire.js';
import { mineOn } from '../support/chain-builders.js';
import { connectGrpcPeer } from '../support/grpc-peer.js';
import { NodeProcess, temporaryDirectory } from '../support/node-process.js';
import { waitFor } from '../support/wait.js';

const DIFFICULTY = 2;
const params = createParams({ network: 'minichain', difficulty: DIFFICULTY });
const genesis = linkHeader(params.genesis.hash, params.genesis.header, undefined);

/** A header changed after the fact, mined again unless the change is the missing work itself. */
function forge(block: Block, change: Partial<Block['header']>, isMined = true): Block {
  for (let nonce = 0; ; nonce++) {
    const forged = createBlock({ ...block.header, ...change, nonce }, block.transactions);
    if (isHashBelowTarget(forged.hash, forged.header.bits) === isMined) return forged;
  }
}

describe('a bad block over a real gRPC session', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let node: NodeProcess;

  beforeEach(async () => {
    directory = temporaryDirectory();
    const settings = { BLOCKCHAIN_DIFFICULTY: String(DIFFICULTY), BLOCKCHAIN_AUTO_MINE: 'false' };
    node = await NodeProcess.create('victim', `${directory.path}/victim`, settings);
    // Assigned before: a node that is not ready in time must not outlive its test.
    await node.spawn().ready();
  });

  afterEach(async () => {
    await node.kill('SIGKILL');
    directory.remove();
  });

  const offer = async (
    block: Block,
    nodeId = 'test-peer',
  ): Promise<{ verdict: BodyOf<'verdict'>; closed: () => string | undefined }> => {
    const peer = await connectGrpcPeer(node.p2pAddress, params, {}, nodeId);
    const value = { block: { raw: block.bytes }, tip: encodeTip(linkHeader(block.hash, block.header, genesis)) };
    const verdict = await peer.session.request({ $case: 'newBlock', value }, 'verdict', 5_000);
    return { verdict, closed: () => peer.closedBecause() };
  };

  it('is accepted when it is good (so the refusals below are for their reason)', async () => {
    const good = mineOn(genesis, ['good'], { params });
    expect((await offer(good)).verdict).toMatchObject({ result: 1, code: '' });
    expect(await node.chain()).toMatchObject({ length: 2, tip: good.hash });
  });

  it.each([
    ['high-hash', (good: Block) => forge(good, {}, false)],
    ['bad-txnmrklroot', (good: Block) => forge(good, { merkleRoot: 'ab'.repeat(32) })],
    ['bad-diffbits', (good: Block) => forge(good, { bits: 0x1f00ffff - 1 })],
    ['time-too-old', (good: Block) => forge(good, { time: params.genesis.header.time })],
  ])('is refused with %s, and its sender banned', async (code, spoil) => {
    const good = mineOn(genesis, ['good'], { params });
    const { verdict, closed } = await offer(spoil(good));
    expect(verdict).toMatchObject({ result: 4, code });
    await waitFor('the session ends with a ban', () => closed()?.startsWith('banned'));
    expect((await node.chain()).length).toBe(1);

    await expect(connectGrpcPeer(node.p2pAddress, params, {}, 'test-peer')).rejects.toThrow('banned');
    // The forgery must not have poisoned the honest block.
    expect((await offer(good, 'honest-peer')).verdict).toMatchObject({ result: 1 });
  });

  it('with an unknown parent is kept as an orphan, and its headers are asked for', async () => {
    const parent = mineOn(genesis, [], { params });
    const child = mineOn(linkHeader(parent.hash, parent.header, genesis), [], { params });
    let asked = false;
    const peer = await connectGrpcPeer(node.p2pAddress, params, {
      getHeaders: () => {
        asked = true;
        return { $case: 'headers', value: { headers: [] } };
      },
    });
    const value = {
      block: { raw: child.bytes },
      tip: { ...encodeTip(genesis), length: 3, chainWork: Buffer.from('ffff', 'hex'), hash: Buffer.alloc(32, 7) },
    };
    const verdict = await peer.session.request({ $case: 'newBlock', value }, 'verdict', 5_000);
    expect(verdict).toMatchObject({ result: 3 });
    await waitFor('headers are asked for', () => asked);
    expect((await node.chain()).length).toBe(1);
  });

  it('on an invalid parent is refused with bad-prevblk', async () => {
    const good = mineOn(genesis, [], { params });
    const bad = forge(mineOn(genesis, [], { params, coinbaseHeight: 7 }), {});
    expect((await offer(bad, 'peer-a')).verdict).toMatchObject({ result: 4, code: 'bad-cb-height' });
    const child = mineOn(linkHeader(bad.hash, bad.header, genesis), [], { params });
    expect((await offer(child, 'peer-b')).verdict).toMatchObject({ result: 4, code: 'bad-prevblk' });
    expect((await offer(good, 'peer-c')).verdict).toMatchObject({ result: 1 });
  });

  it('of another network never gets that far: the handshake is refused', async () => {
    const other = createParams({ network: 'elsewhere', difficulty: DIFFICULTY });
    await expect(connectGrpcPeer(node.p2pAddress, other)).rejects.toThrow('other network');
  });
});
