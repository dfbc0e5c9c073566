import type { ChainService } from '../chain/chain.service.js';
import { viewWork } from '../chain/block-view.js';
import { medianTimePast, type BlockNode } from '../consensus/block-tree.js';
import { ByteReader, isHash, type Hash } from '../consensus/codec.js';
import { HEADER_BYTES, decodeHeader } from '../consensus/header.js';
import { formatBits, targetOf } from '../consensus/target.js';
import { parameter, rpcCall, type RpcCall } from './call-table.js';
import { RPC_CODES, RpcError } from './rpc-error.js';

/** Bitcoin's difficulty 1. */
const DIFFICULTY_1 = 0xffff * 2 ** 208;

export type RpcChain = Pick<
  ChainService,
  'params' | 'tip' | 'node' | 'nodeAt' | 'isActive' | 'getBlockBytes' | 'getHeadersOf'
>;

/** Calls about blocks, with names, fields and errors of Bitcoin Core. */
export function chainCalls(chain: RpcChain): RpcCall[] {
  const find = (hash: Hash): BlockNode => {
    const node = chain.node(hash);
    if (node === undefined) throw new RpcError(RPC_CODES.invalidAddressOrKey, 'Block not found');
    return node;
  };
  return [
    rpcCall({
      method: 'getblockcount',
      parameters: [],
      summary: 'The height of the tip; the genesis has height 0.',
      run: () => chain.tip.height,
    }),
    rpcCall({
      method: 'getblockhash',
      parameters: [parameter('height', readInteger)],
      summary: 'The hash of the block of the active chain at this height.',
      run: (height) => {
        const node = chain.nodeAt(height);
        if (node === undefined) throw new RpcError(RPC_CODES.invalidParameter, 'Block height out of range');
        return node.hash;
      },
    }),
    rpcCall({
      method: 'getblockheader',
      parameters: [parameter('blockhash', readHash), parameter('verbose', readBoolean, true)],
      summary: 'The header of a stored block: as an object, or with verbose = false its 80 bytes as hex digits.',
      run: (hash, verbose) => {
        const node = find(hash);
        return verbose ? viewHeader(chain, node) : headerOf(chain, node).toString('hex');
      },
    }),
  ];
}

/** A header as getblockheader shows it. */
function viewHeader(chain: RpcChain, node: BlockNode): object {
  const { version, merkleRoot, nonce, previousHash } = decodeHeader(headerOf(chain, node));
  const isActive = chain.isActive(node);
  const next = isActive ? chain.nodeAt(node.height + 1) : undefined;
  return {
    hash: node.hash,
    confirmations: isActive ? chain.tip.height - node.height + 1 : -1,
    height: node.height,
    version,
    versionHex: (version >>> 0).toString(16).padStart(8, '0'),
    merkleroot: merkleRoot,
    time: node.time,
    mediantime: medianTimePast(node, chain.params.medianTimeSpan),
    nonce,
    bits: formatBits(node.bits),
    difficulty: difficultyOf(node.bits),
    chainwork: viewWork(node.chainWork),
    nTx: countOf(chain.getBlockBytes(node.hash)!),
    ...(node.parent === undefined ? {} : { previousblockhash: previousHash }),
    ...(next === undefined ? {} : { nextblockhash: next.hash }),
  };
}

function headerOf(chain: RpcChain, node: BlockNode): Buffer {
  return chain.getHeadersOf([node])[0]!;
}

/** How many transactions the block has. */
function countOf(block: Buffer): number {
  const reader = new ByteReader(block, 'bad-blk-encoding');
  reader.bytes(HEADER_BYTES);
  return reader.varint();
}

/** Bitcoin's: how many times harder than its easiest target. */
function difficultyOf(bits: number): number {
  const target = targetOf(bits);
  return target === undefined ? 0 : DIFFICULTY_1 / Number(target);
}

function readInteger(value: unknown): number {
  if (typeof value !== 'number') throw wrongType(value, 'number');
  if (Number.isInteger(value)) return value;
  throw new RpcError(RPC_CODES.type, 'JSON value is not an integer as expected');
}

function readBoolean(value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw wrongType(value, 'bool');
}

function readHash(value: unknown): Hash {
  if (typeof value !== 'string') throw wrongType(value, 'string');
  const hash = value.toLowerCase();
  if (isHash(hash)) return hash;
  const shown = value.slice(0, 80);
  const wrong =
    value.length === 64
      ? `must be hexadecimal string (not '${shown}')`
      : `must be of length 64 (not ${value.length}, for '${shown}')`;
  throw new RpcError(RPC_CODES.invalidParameter, `blockhash ${wrong}`);
}

function wrongType(value: unknown, wanted: string): RpcError {
  const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
  return new RpcError(RPC_CODES.type, `JSON value of type ${found} is not of expected type ${wanted}`);
}
