import type { Block } from '../consensus/block.js';
import type { Hash } from '../consensus/codec.js';
import { difficultyOf, formatBits } from '../consensus/target.js';
import type { Transaction } from '../consensus/transaction.js';
import type { BlockView, TransactionView } from './chain-schemas.js';

export function viewTransaction(transaction: Transaction): TransactionView {
  const { id, kind } = transaction;
  if (kind === 'data') {
    return { id, kind, data: transaction.data, timestamp: new Date(transaction.timestampMs).toISOString() };
  }
  const { height, miner, extraNonce } = transaction;
  return { id, kind, data: null, timestamp: null, height, miner, extraNonce: String(extraNonce) };
}

/** @param index height of the block. */
export function viewBlock(block: Block, index: number): BlockView {
  const { header, transactions } = block;
  const coinbase = transactions[0];
  return {
    index,
    hash: block.hash,
    previousHash: header.previousHash,
    merkleRoot: header.merkleRoot,
    version: header.version,
    time: header.time,
    timestamp: new Date(header.time * 1000).toISOString(),
    bits: formatBits(header.bits),
    difficulty: difficultyOf(header.bits),
    nonce: header.nonce,
    miner: coinbase?.kind === 'coinbase' ? coinbase.miner : '',
    size: block.bytes.length,
    transactions: transactions.map(viewTransaction),
  };
}

/** Chain work as Bitcoin shows it: 64 hex digits. */
export function viewWork(work: bigint): Hash {
  return work.toString(16).padStart(64, '0');
}
