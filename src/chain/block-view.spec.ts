import { describe, expect, it } from 'vitest';
import { createBlock } from '../consensus/block.js';
import { createCoinbase } from '../consensus/coinbase.js';
import { MAX_TIMESTAMP_MS, createDataTransaction } from '../consensus/data-entry.js';
import { viewBlock, viewTransaction, viewWork } from './block-view.js';
import { blockViewSchema } from './chain-schemas.js';

const entry = (timestampMs: number) => createDataTransaction('Hällo', timestampMs, (length) => Buffer.alloc(length, 3));

describe('viewBlock', () => {
  it('has the fields that REST promises', () => {
    const coinbase = createCoinbase(5, 18_446_744_073_709_551_615n, 'node-1');
    const header = {
      version: 1,
      previousHash: 'a'.repeat(64),
      merkleRoot: 'b'.repeat(64),
      time: 1_767_225_600,
      bits: 0x0100ffff,
      nonce: 4_294_967_295,
    };
    const block = createBlock(header, [coinbase, entry(1_767_225_600_123)]);
    const lazy = viewBlock(block, 5);
    const view = { ...lazy, transactions: [...lazy.transactions] };
    expect(view).toEqual({
      index: 5,
      hash: block.hash,
      previousHash: header.previousHash,
      merkleRoot: header.merkleRoot,
      version: 1,
      time: 1_767_225_600,
      timestamp: '2026-01-01T00:00:00.000Z',
      bits: '0100ffff',
      difficulty: expect.any(Number),
      nonce: 4_294_967_295,
      miner: 'node-1',
      size: block.bytes.length,
      transactions: [
        {
          id: coinbase.id,
          kind: 'coinbase',
          data: null,
          timestamp: null,
          salt: null,
          height: 5,
          miner: 'node-1',
          extraNonce: '18446744073709551615',
        },
        {
          id: expect.any(String),
          kind: 'data',
          data: 'Hällo',
          timestamp: '2026-01-01T00:00:00.123Z',
          salt: '03'.repeat(16),
        },
      ],
    });
    expect(blockViewSchema.parse(view)).toEqual(view);
  });
});

describe('viewTransaction', () => {
  it('shows every time that the rules allow', () => {
    expect(viewTransaction(entry(MAX_TIMESTAMP_MS)).timestamp).toBe('9999-12-31T23:59:59.999Z');
    expect(viewTransaction(entry(0)).timestamp).toBe('1970-01-01T00:00:00.000Z');
  });
});

describe('viewWork', () => {
  it('is 64 hex digits, so that strings compare as the numbers do', () => {
    expect(viewWork(255n)).toBe('ff'.padStart(64, '0'));
    expect(viewWork(2n ** 256n - 1n)).toBe('f'.repeat(64));
  });
});
