import { openBlock, type Block, type OpenedBlock } from '../consensus/block.js';
import type { BlockNode } from '../consensus/block-tree.js';
import { hashFromBytes, hashToBytes, type Hash } from '../consensus/codec.js';
import { decodeHeader, hashHeader, type BlockHeader } from '../consensus/header.js';
import { DEFAULT_MAX_BLOCK_BYTES } from '../consensus/params.js';
import { RuleError } from '../consensus/rule-error.js';
import { decodeTransaction, type Transaction } from '../consensus/transaction.js';
import type { ChainTip } from './generated/minichain/v1/types.js';
import { WireError, type BodyOf } from './messages.js';

/** What one message may hold at the most; a peer that sends more is at fault. */
export const LIMITS = {
  messageBytes: 8 * 1024 * 1024,
  headers: 2_000,
  /** Locators are logarithmic in the height; Bitcoin Core's MAX_LOCATOR_SZ. */
  locator: 101,
  blocksRequested: 512,
  /** A Blocks answer stops growing here (one block always fits). */
  blocksBytes: 2 * 1024 * 1024,
  /** An answer with items of fewer bytes leaves out nothing that its sender has: no block or entry is bigger. */
  fullAnswerBytes: 1024 * 1024,
  transactions: 2_000,
  transactionsBytes: 2 * 1024 * 1024,
  mempoolIds: 50_000,
  addresses: 100,
  addressBytes: 261,
} as const;

/** The end of a peer's active chain, as it says. */
export interface PeerTip {
  readonly length: number;
  readonly chainWork: bigint;
  readonly hash: Hash;
}

export function encodeTip(node: BlockNode): ChainTip {
  const hex = node.chainWork.toString(16);
  return {
    length: node.height + 1,
    chainWork: Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex'),
    hash: hashToBytes(node.hash),
  };
}

/** @throws WireError `malformed-message`. */
export function decodeTip(tip: ChainTip | undefined): PeerTip {
  if (tip === undefined || tip.length === 0) throw new WireError('malformed-message', 'a tip is missing');
  if (tip.chainWork.length > 32) throw new WireError('malformed-message', 'chain work of more than 32 bytes');
  return {
    length: tip.length,
    chainWork: tip.chainWork.length === 0 ? 0n : BigInt(`0x${tip.chainWork.toString('hex')}`),
    hash: decodeHash(tip.hash),
  };
}

/** @throws WireError `malformed-message` unless there are 32 bytes. */
export function decodeHash(bytes: Uint8Array): Hash {
  if (bytes.length !== 32) throw new WireError('malformed-message', `a hash of ${bytes.length} bytes`);
  return hashFromBytes(bytes);
}

/** @throws WireError `oversized-message` above `limit`, `malformed-message`. */
export function decodeHashes(list: readonly Uint8Array[], limit: number): Hash[] {
  checkCount(list.length, limit, 'hashes');
  return list.map(decodeHash);
}

export function encodeHashes(hashes: readonly Hash[]): Buffer[] {
  return hashes.map(hashToBytes);
}

/** A header off the wire with its hash, not checked by any rule yet. */
export interface HashedHeader {
  readonly hash: Hash;
  readonly header: BlockHeader;
}

/** @throws WireError `oversized-message`; RuleError `bad-header-encoding`. */
export function decodeHeaders(message: BodyOf<'headers'>): HashedHeader[] {
  checkCount(message.headers.length, LIMITS.headers, 'headers');
  return message.headers.map(({ raw }) => {
    const header = decodeHeader(raw);
    return { hash: hashHeader(header), header };
  });
}

/** @throws WireError `oversized-message`. */
export function checkBlockCount(count: number): void {
  checkCount(count, LIMITS.blocksRequested, 'blocks');
}

/**
 * Judges the size first: 8 MiB of tiny transactions would take seconds to decode and to hash.
 * @throws RuleError `bad-blk-length`, and as decodeBlock.
 */
export function decodeWireBlock(raw: Uint8Array): Block {
  const { hash, header, transactions, bytes } = openWireBlock(raw);
  return { hash, header, transactions: [...transactions], bytes };
}

/** As decodeWireBlock, but the transactions are decoded only while the caller iterates. */
export function openWireBlock(raw: Uint8Array): OpenedBlock {
  if (raw.length > DEFAULT_MAX_BLOCK_BYTES) {
    throw new RuleError(
      'bad-blk-length',
      `a block of ${raw.length} bytes; no network allows more than ${DEFAULT_MAX_BLOCK_BYTES}`,
    );
  }
  return openBlock(raw);
}

/**
 * Decodes the transactions of a message while the caller iterates, so that it can pause.
 * @throws WireError `oversized-message`, at once; RuleError as decodeTransaction.
 */
export function decodeTransactions({ transactions }: BodyOf<'transactions'>): Iterable<Transaction> {
  checkCount(transactions.length, LIMITS.transactions, 'transactions');
  const bytes = transactions.reduce((sum, { raw }) => sum + raw.length, 0);
  checkCount(bytes, LIMITS.transactionsBytes, 'bytes of transactions');
  return transactions.values().map(({ raw }) => decodeTransaction(raw));
}

/** Cuts a list so that neither count nor bytes of one message are exceeded; at least one item each. */
export function inBatches<T extends { readonly bytes: Buffer }>(items: readonly T[]): T[][] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    if (
      batch.length > 0 &&
      (batch.length >= LIMITS.transactions || bytes + item.bytes.length > LIMITS.transactionsBytes)
    ) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += item.bytes.length;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

export function checkCount(count: number, limit: number, what: string): void {
  if (count > limit)
    throw new WireError('oversized-message', `${count} ${what} in a message, at most ${limit} allowed`);
}
