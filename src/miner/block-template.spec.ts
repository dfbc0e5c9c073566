import { describe, expect, it } from 'vitest';
import { checkBlock, checkBlockContext } from '../consensus/check-block.js';
import { checkHeaderContext } from '../consensus/check-header.js';
import { linkHeader, medianTimePast, type BlockNode } from '../consensus/block-tree.js';
import { decodeBlock } from '../consensus/block.js';
import { createParams, type ConsensusParams } from '../consensus/params.js';
import { nextBits } from '../consensus/retarget.js';
import { createDataTransaction, type DataTransaction } from '../consensus/data-entry.js';
import { buildTemplate, sealTemplate, type TemplateOptions } from './block-template.js';

const NOW_MS = Date.UTC(2026, 10, 22, 12, 0, 0, 700);
const params = createParams({ network: 'test', difficulty: 0 });

function genesisNode(of: ConsensusParams): BlockNode {
  return linkHeader(of.genesis.hash, of.genesis.header, undefined);
}

/** A chain of headers on the genesis with these times; the hashes are made up. */
function chainWithTimes(of: ConsensusParams, times: readonly number[]): BlockNode {
  return times.reduce(
    (parent, time, index) => linkHeader(String(index).padStart(64, '0'), { time, bits: nextBits(parent, of) }, parent),
    genesisNode(of),
  );
}

let salts = 0;
function entryOf(dataBytes: number): DataTransaction {
  salts += 1;
  return createDataTransaction('x'.repeat(dataBytes), NOW_MS, (length) => Buffer.alloc(length, salts));
}

function template(options: Partial<TemplateOptions> = {}) {
  return buildTemplate({
    parent: genesisNode(options.params ?? params),
    transactions: [],
    params,
    miner: 'node-1',
    extraNonce: 7n,
    nowMs: NOW_MS,
    ...options,
  });
}

describe('buildTemplate', () => {
  it('makes a block that passes every rule but proof of work', () => {
    const transactions = Array.from({ length: 5 }, (_, i) => entryOf(10 + i));
    const block = sealTemplate(template({ transactions }), 42);
    checkBlock(block, params);
    checkBlockContext(block, 1);
    checkHeaderContext(block.header, block.hash, genesisNode(params), params, NOW_MS / 1000);
    expect(block.header.nonce).toBe(42);
    expect(decodeBlock(block.bytes)).toEqual(block);
    expect(block.transactions[0]).toMatchObject({ kind: 'coinbase', height: 1, miner: 'node-1', extraNonce: 7n });
  });

  it('takes transactions in order of arrival', () => {
    const transactions = Array.from({ length: 20 }, () => entryOf(5));
    expect(template({ transactions }).transactions.slice(1)).toEqual(transactions);
  });

  it('differs with the extra nonce alone', () => {
    expect(template({ extraNonce: 1n }).header.merkleRoot).not.toBe(template({ extraNonce: 2n }).header.merkleRoot);
  });

  it('fills the block to the last byte and not beyond', () => {
    const entry = entryOf(1000);
    const full = 80 + 1 + 77 + 3 * entry.bytes.length;
    for (const [maxBlockBytes, fitting] of [
      [full, 3],
      [full - 1, 2],
      [full + 1, 3],
    ] as const) {
      const tight = createParams({ network: 'test', difficulty: 0, maxBlockBytes });
      const transactions = Array.from({ length: 5 }, () => entryOf(1000));
      const built = template({ transactions, params: tight });
      const block = sealTemplate(built, 0);
      expect(block.transactions.length - 1).toBe(fitting);
      checkBlock(block, tight);
      expect(built.roomBytes).toBe(maxBlockBytes - block.bytes.length);
    }
  });

  it('passes over one that does not fit, and takes the smaller ones behind it', () => {
    const small = createParams({ network: 'test', difficulty: 0, maxBlockBytes: 2000 });
    const [big, first, second] = [entryOf(5000), entryOf(100), entryOf(200)];
    expect(template({ transactions: [big, first, second], params: small }).transactions.slice(1)).toEqual([
      first,
      second,
    ]);
  });

  it('takes its time from the clock, rounded down', () => {
    expect(template().header.time).toBe(Math.floor(NOW_MS / 1000));
  });

  it('takes one second above the median time past when the clock is behind that', () => {
    const nowSeconds = NOW_MS / 1000;
    const parent = chainWithTimes(
      params,
      Array.from({ length: 12 }, (_, i) => Math.floor(nowSeconds) + 60 * i),
    );
    const { header } = template({ parent });
    expect(header.time).toBe(medianTimePast(parent, 11) + 1);
    expect(header.time).toBeGreaterThan(nowSeconds);
  });

  it('carries the bits that the retarget asks for', () => {
    const retargeting = createParams({ network: 'test', difficulty: 2, retargetInterval: 4, targetSpacingSeconds: 10 });
    const start = retargeting.genesis.header.time;
    const parent = chainWithTimes(retargeting, [start + 1, start + 2, start + 3]);
    const { header } = template({ parent, params: retargeting });
    expect(header.bits).toBe(nextBits(parent, retargeting));
    expect(header.bits).not.toBe(retargeting.limitBits);
  });
});
