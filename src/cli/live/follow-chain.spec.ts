import { describe, expect, it } from 'vitest';
import { BLOCK } from '../../../test/support/cli-rig.js';
import type { BlockView } from '../../chain/chain-schemas.js';
import { NodeClient } from '../node-client.js';
import { ChainFollower } from './follow-chain.js';

const block = (name: string, parent: string): BlockView => ({
  ...BLOCK,
  index: Number(name.slice(1)),
  hash: name,
  previousHash: parent,
});

/** A chain of blocks of branch a up to `fork`, and of another branch above it. */
function chain(fork: number, letter: string, to: number): BlockView[] {
  const name = (height: number): string => `${height <= fork ? 'a' : letter}${height}`;
  return Array.from({ length: to + 1 }, (_, height) => block(name(height), name(height - 1)));
}

/** A client that answers GET /chain from `active`, and what a follower tells. */
function follow(active: () => readonly BlockView[], shown: readonly BlockView[], start: number) {
  const told: string[] = [];
  const client = new NodeClient('http://127.0.0.1:1', undefined);
  client.ask = (async (_route: string, { query }: { query: { from: number; limit: number } }) => {
    const blocks = active().slice(query.from, query.from + query.limit);
    return { text: '', body: { length: active().length, tip: '', from: query.from, blocks } };
  }) as unknown as typeof client.ask;
  const listener = {
    block: ({ hash }: BlockView): unknown => told.push(hash),
    left: (low: number, high: number): unknown => told.push(`left ${low}-${high}`),
  };
  const follower = new ChainFollower(client, listener, { shown, start });
  return { follower, told };
}

describe('ChainFollower', () => {
  it('tells each new block once, however many came', async () => {
    let active = chain(99, 'a', 3);
    const { follower, told } = follow(() => active, active, 4);
    await follower.advance();
    active = chain(9_999, 'a', 1_300);
    await follower.advance();
    await follower.advance();
    expect(told).toEqual(active.slice(4).map(({ hash }) => hash));
  });

  it.each([
    [5, 9, ['left 6-8', 'b6', 'b7', 'b8', 'b9']],
    [5, 6, ['left 6-8', 'b6']],
    [7, 8, ['left 8-8', 'b8']],
  ])('says which blocks left the chain in a reorganisation after block %d, to %d', async (fork, to, expected) => {
    let active = chain(99, 'a', 8);
    const { follower, told } = follow(() => active, active, 9);
    active = chain(fork, 'b', to);
    await follower.advance();
    expect(told).toEqual(expected);
  });

  it('begins anew at the lowest block that it remembers where a reorganisation goes deeper', async () => {
    let active = chain(99, 'a', 8);
    const { follower, told } = follow(() => active, active.slice(5), 9);
    active = chain(2, 'b', 9);
    await follower.advance();
    expect(told).toEqual(['left 5-8', 'b5', 'b6', 'b7', 'b8', 'b9']);
  });

  it('waits for a height that there is not yet', async () => {
    let active = chain(99, 'a', 2);
    const { follower, told } = follow(() => active, [], 5);
    await follower.advance();
    active = chain(99, 'a', 6);
    await follower.advance();
    expect(told).toEqual(['a5', 'a6']);
  });
});
