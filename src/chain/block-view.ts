import { z } from 'zod';
import type { Block } from '../consensus/block.js';
import type { Hash } from '../consensus/codec.js';
import { difficultyOf, formatBits } from '../consensus/target.js';
import type { Transaction } from '../consensus/transaction.js';

export const hashSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ id: 'Hash', description: '32 bytes as hex digits, byte-reversed as Bitcoin shows them.' });

export const transactionViewSchema = z
  .object({
    id: hashSchema,
    kind: z.enum(['coinbase', 'data']),
    data: z.string().nullable().meta({ description: 'The entry; null for a coinbase.' }),
    timestamp: z.iso.datetime().nullable().meta({ description: "The poster's clock; null for a coinbase." }),
    height: z.int().optional().meta({ description: 'Of a coinbase: the height that it names.' }),
    miner: z.string().optional().meta({ description: 'Of a coinbase: node id of the miner.' }),
    extraNonce: z.string().optional().meta({ description: 'Of a coinbase: a number up to 2^64 - 1, decimal.' }),
  })
  .meta({ id: 'Transaction' });

export const blockViewSchema = z
  .object({
    index: z.int().meta({ description: 'Height; the genesis has 0.' }),
    hash: hashSchema,
    previousHash: hashSchema,
    merkleRoot: hashSchema,
    version: z.int(),
    time: z.int().meta({ description: 'Seconds since the epoch.' }),
    timestamp: z.iso.datetime().meta({ description: '`time` for people.' }),
    bits: z
      .string()
      .regex(/^[0-9a-f]{8}$/)
      .meta({ description: 'The target, compact, as eight hex digits.' }),
    difficulty: z.number().meta({ description: 'How many leading zero hex digits `bits` ask of the hash.' }),
    nonce: z.int(),
    miner: z.string().meta({ description: "Node id, from the block's coinbase." }),
    size: z.int().meta({ description: 'Bytes of the whole block.' }),
    confirmations: z
      .int()
      .optional()
      .meta({ description: 'Blocks from this one to the tip, both counted; 0 off the active chain.' }),
    transactions: z.array(transactionViewSchema).meta({ description: 'The coinbase first.' }),
  })
  .meta({ id: 'Block' });

/** A transaction as REST shows it. */
export type TransactionView = z.infer<typeof transactionViewSchema>;
/** A block as REST shows it. */
export type BlockView = z.infer<typeof blockViewSchema>;

export function viewTransaction(transaction: Transaction): TransactionView {
  const { id, kind } = transaction;
  if (kind === 'data') {
    return { id, kind, data: transaction.data, timestamp: new Date(transaction.timestampMs).toISOString() };
  }
  const { height, miner, extraNonce } = transaction;
  return { id, kind, data: null, timestamp: null, height, miner, extraNonce: String(extraNonce) };
}

/** `confirmations` is left out where the position in the answer tells it. */
export function viewBlock(block: Block, index: number, confirmations?: number): BlockView {
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
    ...(confirmations === undefined ? {} : { confirmations }),
    transactions: transactions.map(viewTransaction),
  };
}

/** Chain work as Bitcoin shows it: 64 hex digits. */
export function viewWork(work: bigint): Hash {
  return work.toString(16).padStart(64, '0');
}
