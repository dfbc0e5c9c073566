import type { OpenedBlock } from '../consensus/block.js';
import type { Hash } from '../consensus/codec.js';
import { difficultyOf, formatBits } from '../consensus/target.js';
import { fingerprintOf, publicKeyLine } from '../consensus/ssh-signature.js';
import type { Transaction } from '../consensus/transaction.js';
import type { BlockView, TransactionView } from './chain-schemas.js';

/** A block whose transactions are decoded one by one, while the caller iterates. */
export interface LazyBlockView extends Omit<BlockView, 'transactions'> {
  /** Can be iterated once. */
  readonly transactions: Iterable<TransactionView>;
}

export function viewTransaction(transaction: Transaction): TransactionView {
  const { id, kind } = transaction;
  if (kind === 'data') {
    const { data, timestampMs, salt } = transaction;
    return { id, kind, data, timestamp: new Date(timestampMs).toISOString(), salt: salt.toString('hex') };
  }
  if (kind === 'signed') {
    const { data, publicKey, signature } = transaction;
    const [author, signatureHex] = [fingerprintOf(publicKey), signature.toString('hex')];
    return { id, kind, data, timestamp: null, salt: null, author, publicKey: publicKeyLine(publicKey), signatureHex };
  }
  const { height, miner, extraNonce } = transaction;
  return { id, kind, data: null, timestamp: null, salt: null, height, miner, extraNonce: String(extraNonce) };
}

/** @param index height of the block. */
export function viewBlock(block: Omit<OpenedBlock, 'count'>, index: number): LazyBlockView {
  const { header } = block;
  const rest = block.transactions[Symbol.iterator]();
  const coinbase = rest.next().value as Transaction | undefined;
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
    transactions: viewTransactions(coinbase, rest),
  };
}

function* viewTransactions(first: Transaction | undefined, rest: Iterator<Transaction>): Generator<TransactionView> {
  if (first !== undefined) yield viewTransaction(first);
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield viewTransaction(next.value);
}

/** Chain work as Bitcoin shows it: 64 hex digits. */
export function viewWork(work: bigint): Hash {
  return work.toString(16).padStart(64, '0');
}
