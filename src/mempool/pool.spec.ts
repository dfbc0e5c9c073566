import { describe, expect, it } from 'vitest';
import { entry } from '../../test/support/chain-builders.js';
import { hasRoom } from './policy.js';
import { Pool, type PoolEntry } from './pool.js';

function entriesOf(...data: string[]): PoolEntry[] {
  return data.map((item) => ({ transaction: entry(item), isAcknowledged: item.startsWith('posted') }));
}

function dataOf(pool: Pool): string[] {
  return pool.list(0, 1_000).map(({ data }) => data);
}

describe('Pool', () => {
  it('keeps the order of arrival, counts bytes and acknowledged entries', () => {
    const pool = new Pool();
    const entries = entriesOf('a', 'posted b', 'c');
    for (const item of entries) pool.append(item);
    expect(dataOf(pool)).toEqual(['a', 'posted b', 'c']);
    expect(pool.ids()).toEqual(entries.map(({ transaction }) => transaction.id));
    expect(pool.bytes).toBe(entries.reduce((sum, { transaction }) => sum + transaction.bytes.length, 0));
    expect(pool.acknowledgedCount).toBe(1);
    for (const { transaction } of entries) expect(pool.delete(transaction.id)).toBe(true);
    expect(pool.delete(entries[0]!.transaction.id)).toBe(false);
    expect([pool.size, pool.bytes, pool.acknowledgedCount]).toEqual([0, 0, 0]);
  });

  it('puts what is given back before the rest, in its own order', () => {
    const pool = new Pool();
    for (const item of entriesOf('c', 'd')) pool.append(item);
    pool.prepend(entriesOf('a', 'b'));
    pool.prepend([]);
    expect(dataOf(pool)).toEqual(['a', 'b', 'c', 'd']);
    expect(pool.size).toBe(4);
  });

  it('lists by pages', () => {
    const pool = new Pool();
    for (const item of entriesOf('a', 'b', 'c', 'd')) pool.append(item);
    expect(pool.list(1, 2).map(({ data }) => data)).toEqual(['b', 'c']);
    expect(pool.list(3, 5).map(({ data }) => data)).toEqual(['d']);
    expect(pool.list(4, 5)).toEqual([]);
    expect(pool.list(0, 0)).toEqual([]);
  });

  it('selects in order what fits, past one that does not', () => {
    const pool = new Pool();
    const [small, large, other] = entriesOf('small', 'x'.repeat(500), 'other');
    for (const item of [small!, large!, other!]) pool.append(item);
    const room = small!.transaction.bytes.length + other!.transaction.bytes.length;
    expect(pool.select(room, 10)).toEqual([small!.transaction, other!.transaction]);
    expect(pool.select(room - 1, 10)).toEqual([small!.transaction]);
    expect(pool.select(pool.bytes, 10)).toHaveLength(3);
    expect(pool.select(0, 10)).toEqual([]);
    expect(pool.select(pool.bytes, 2)).toEqual([small!.transaction, large!.transaction]);
    expect(pool.select(pool.bytes, 10, ({ data }) => data !== 'small')).toHaveLength(2);
  });
});

describe('hasRoom', () => {
  const limits = { maxTransactions: 2, maxBytes: 100 };

  it.each([
    [0, 0, 100, true],
    [0, 0, 101, false],
    [1, 40, 60, true],
    [1, 41, 60, false],
    [2, 2, 1, false],
  ])('with %d transactions of %d bytes and %d more: %s', (transactions, bytes, more, expected) => {
    expect(hasRoom({ transactions, bytes }, { transactions: 1, bytes: more }, limits)).toBe(expected);
  });
});
