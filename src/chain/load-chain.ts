import { BlockTree, linkHeader, type BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import type { ConsensusParams } from '../consensus/params.js';
import { DatabaseDamagedError } from '../storage/storage-errors.js';
import { ChainState } from './chain-state.js';
import type { ChainStore } from './chain.store.js';

/** The stored chain has another genesis than the configured network. */
export class WrongNetworkError extends Error {
  override readonly name = 'WrongNetworkError';

  constructor(file: string, params: ConsensusParams, found: Hash) {
    super(
      `this data directory belongs to another network: ${file} has genesis ${found}, ` +
        `network "${params.network}" with this configuration has ${params.genesis.hash}. ` +
        'Restore the configuration (network.name, difficulty, retargeting, block size), or use another node.data_dir',
    );
  }
}

/** The stored active chain breaks a checkpoint that was configured after it was accepted. */
export class CheckpointConflictError extends Error {
  override readonly name = 'CheckpointConflictError';

  constructor(file: string, height: number, found: Hash, expected: Hash) {
    super(
      `the active chain in ${file} has block ${found} at height ${height}, the checkpoint there is ${expected}. ` +
        'Correct the checkpoint, or move the file away to fetch the chain anew',
    );
  }
}

/**
 * Reads the tree and the active tip (the stored one, so that the first seen stays on a tie), and writes the genesis
 * into an empty database.
 * @throws WrongNetworkError, CheckpointConflictError, DatabaseDamagedError
 */
export function loadChain(store: ChainStore, params: ConsensusParams): ChainState {
  const genesis = linkHeader(params.genesis.hash, params.genesis.header, undefined);
  const tree = new BlockTree(genesis);
  const stored = store.loadTip();
  if (stored === undefined) {
    for (const { hash } of store.loadLinks()) {
      throw new DatabaseDamagedError(store.file, `there are blocks (the first is ${hash}), but no active chain`);
    }
    store.transact(() => {
      store.saveBlock(params.genesis, genesis);
      store.connect(params.genesis, 0);
    });
    return new ChainState(tree, genesis);
  }
  store.transact(() => store.deletePolicyVerdicts());
  const activeIds = store.loadActiveIds();
  const active: BlockNode[] = [];
  for (const link of store.loadLinks()) {
    const { id, hash } = link;
    const parent = tree.get(link.previousHash);
    if (parent !== undefined) {
      const node = linkHeader(hash, link, parent);
      tree.add(node);
      if (activeIds[node.height] === id) active.push(node);
    } else if (tree.size > 1) throw new DatabaseDamagedError(store.file, `the parent of block ${hash} is missing`);
    else if (hash !== genesis.hash) throw new WrongNetworkError(store.file, params, hash);
  }
  const tip = tree.get(stored.hash);
  if (tip === undefined || tip.height !== stored.height || tip.chainWork !== stored.chainWork) {
    throw new DatabaseDamagedError(store.file, `the active chain does not lead to its tip ${stored.hash}`);
  }
  const state = new ChainState(tree, tip);
  if (active.length !== tip.height || !active.every((node) => state.isActive(node))) {
    throw new DatabaseDamagedError(store.file, `the blocks marked as active are not the chain of its tip ${tip.hash}`);
  }
  for (const [height, expected] of params.checkpoints) {
    const found = state.nodeAt(height)?.hash ?? expected;
    if (found !== expected) throw new CheckpointConflictError(store.file, height, found, expected);
  }
  return state;
}
