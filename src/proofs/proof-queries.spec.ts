import { afterEach, describe, expect, it } from 'vitest';
import {
  acceptBatch,
  entry,
  genesisNode,
  mineChain,
  mineOn,
  openChain,
  nodeOf,
  type TestChain,
} from '../../test/support/chain-builders.js';
import { createParams } from '../consensus/params.js';
import { Turns } from '../common/turns.js';
import { verifyJsonProof } from './offline/verify-proof.js';
import { ProofQueries } from './proof-queries.js';

let node: TestChain | undefined;

afterEach(() => node?.close());

function queriesOf({ chain, mempool }: TestChain, onTurn = (): void => {}): ProofQueries {
  const turns = new Turns((task) => {
    onTurn();
    setImmediate(task);
  });
  return new ProofQueries({ chain, mempool, turns });
}

async function textOf(queries: ProofQueries, id: string, from?: 'checkpoint'): Promise<string> {
  const { head, headers } = await queries.json(id, from);
  return JSON.stringify({ ...head, headers: [...headers] });
}

describe('a proof as JSON', () => {
  it('begins after the highest checkpoint below the block', async () => {
    const own = [entry('at 3'), entry('at 6')];
    const { blocks, nodes } = mineChain(genesisNode(), 9, (index) =>
      index === 2 || index === 5 ? [own[index === 2 ? 0 : 1]!] : [],
    );
    const checkpoints = new Map([3, 5, 8].map((height) => [height, nodes[height - 1]!.hash]));
    node = openChain({ params: createParams({ network: 'test', difficulty: 0, checkpoints }) });
    acceptBatch(node.chain, blocks);
    const queries = queriesOf(node);
    const above = verifyJsonProof(await textOf(queries, own[1]!.id, 'checkpoint'));
    expect(above).toMatchObject({ anchor: { height: 5 }, block: { height: 6 }, confirmations: 4 });
    expect(verifyJsonProof(await textOf(queries, own[0]!.id, 'checkpoint'))).toMatchObject({ anchor: undefined });
  });

  it('has the headers of one chain, although a reorganisation comes while they are read', async () => {
    const own = entry('here');
    const { blocks } = mineChain(genesisNode(), 600, (index) => (index === 1 ? [own] : []));
    node = openChain();
    acceptBatch(node.chain, blocks);
    const { head, headers } = await queriesOf(node).json(own.id);
    const read: string[] = [];
    for (const header of headers) {
      if (read.length === 10) acceptBatch(node.chain, mineChain(genesisNode(), 601).blocks);
      read.push(header);
    }
    expect(node.chain.hasTransaction(own.id)).toBe(false);
    const text = JSON.stringify({ ...head, headers: read });
    expect(verifyJsonProof(text)).toMatchObject({ confirmations: 599, tip: { hash: blocks.at(-1)!.hash } });
  });

  it('is made in several turns for a full block, and is refused if the block is undone meanwhile', async () => {
    const entries = Array.from({ length: 9_000 }, (_, n) => entry(`entry ${n} ${'x'.repeat(40)}`));
    const full = mineOn(genesisNode(), entries);
    node = openChain();
    const { chain } = node;
    acceptBatch(chain, [full]);
    let turns = 0;
    const queries = queriesOf(node, () => {
      turns += 1;
      if (turns === 1) acceptBatch(chain, mineChain(genesisNode(), 2).blocks);
    });
    const { id } = entries[8_500]!;
    await expect(queries.json(id)).rejects.toMatchObject({ status: 409, code: 'block-undone' });
    acceptBatch(chain, mineChain(nodeOf(full, genesisNode()), 3).blocks);
    expect(verifyJsonProof(await textOf(queries, id))).toMatchObject({ entry: { data: entries[8_500]!.data } });
    expect(turns).toBeGreaterThan(1);
  });
});
