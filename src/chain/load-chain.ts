import { BlockTree, linkHeader } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import { RULE_SET, type ConsensusParams } from '../consensus/params.js';
import { RULES, RULE_CODES } from '../consensus/rule-error.js';
import { difficultyOf, isHashBelowTarget } from '../consensus/target.js';
import { VERSION } from '../common/version.js';
import { DatabaseDamagedError } from '../storage/storage-errors.js';
import { ChainState } from './chain-state.js';
import type { ChainStore } from './chain.store.js';

/** The stored chain has another genesis than the configured network. The message says which settings make a genesis. */
export class WrongNetworkError extends Error {
  override readonly name = 'WrongNetworkError';

  constructor(file: string, params: ConsensusParams, found: { readonly hash: Hash; readonly bits: number }) {
    super(
      `this data directory belongs to another network: ${file} has genesis ${found.hash}, ` +
        `but this configuration makes ${params.genesis.hash}. ${differenceOf(params, found.bits)}. ` +
        'To keep this chain, set them as they were when it began. To begin a new one, set node.data_dir ' +
        '(MINICHAIN_NODE_DATA_DIR) to an empty directory, or move this one away',
    );
  }
}

/** The stored active chain breaks a checkpoint that was configured after it was accepted. */
export class CheckpointConflictError extends Error {
  override readonly name = 'CheckpointConflictError';

  constructor(file: string, height: number, found: Hash, expected: Hash) {
    super(
      `the active chain in ${file} has block ${found} at height ${height}, the checkpoint there is ${expected}. ` +
        'Correct the checkpoint, or move the file away to fetch the chain again',
    );
  }
}

/**
 * Reads the tree and the active tip (the stored one, so that the first seen stays on a tie), and writes the genesis
 * into an empty database.
 * @param nowMs when the genesis "arrives", since the epoch.
 * @throws WrongNetworkError, CheckpointConflictError, DatabaseDamagedError
 */
export function loadChain(store: ChainStore, params: ConsensusParams, nowMs: number): ChainState {
  const stored = store.loadTip();
  if (stored === undefined) return startChain(store, params, nowMs);
  let tree: BlockTree | undefined;
  for (const link of store.loadLinks()) {
    const parent = tree?.get(link.previousHash);
    if (parent !== undefined) tree!.add(linkHeader(link.hash, link, parent, link.id));
    else if (tree !== undefined)
      throw new DatabaseDamagedError(store.file, `the parent of block ${link.hash} is missing`);
    else if (link.hash !== params.genesis.hash) throw new WrongNetworkError(store.file, params, link);
    else tree = new BlockTree(linkHeader(link.hash, link, undefined, link.id));
  }
  const tip = tree?.get(stored.hash);
  if (tree === undefined || tip?.id !== stored.id) {
    throw new DatabaseDamagedError(store.file, `the tip ${stored.hash} is missing`);
  }
  checkLeaves(tree, store);
  dropVerdicts(store);
  const state = new ChainState(tree, tip);
  store.finishIndex((id) => state.nodeById(id));
  for (const [height, expected] of params.checkpoints) {
    const found = state.nodeAt(height)?.hash ?? expected;
    if (found !== expected) throw new CheckpointConflictError(store.file, height, found, expected);
  }
  return state;
}

function startChain(store: ChainStore, params: ConsensusParams, nowMs: number): ChainState {
  for (const { hash } of store.loadLinks()) {
    throw new DatabaseDamagedError(store.file, `there are blocks (the first is ${hash}), but no tip`);
  }
  const { genesis } = params;
  const node = linkHeader(genesis.hash, genesis.header, undefined, store.nextId());
  store.transact(() => {
    store.saveBlock(genesis, node, nowMs);
    store.saveTip(node);
  });
  dropVerdicts(store);
  return new ChainState(new BlockTree(node), node);
}

/** A header whose bits changed on disk has another hash. Each block's is named by its child; where there is none, work shows it. */
function checkLeaves(tree: BlockTree, store: ChainStore): void {
  for (const leaf of tree.tips) {
    if (leaf === tree.genesis || isHashBelowTarget(leaf.hash, leaf.bits)) continue;
    throw new DatabaseDamagedError(store.file, `the header of block ${leaf.hash} has no proof of work`);
  }
}

/** Verdicts that hang on what may have changed since: the checkpoints, and the program that judges. */
function dropVerdicts(store: ChainStore): void {
  const codes = RULE_CODES.filter((code) => RULES[code] === 'until-restart');
  store.transact(() => store.dropVerdicts(codes, `minichain ${VERSION}, rule set ${RULE_SET}`));
}

/** A genesis shows its difficulty. The other settings are only part of its hash. */
function differenceOf(params: ConsensusParams, foundBits: number): string {
  const settings = {
    'network.name': `"${params.network}"`,
    'blockchain.retarget_interval': params.retargetInterval,
    'blockchain.target_spacing_seconds': params.targetSpacingSeconds,
    'blockchain.max_block_bytes': params.maxBlockBytes,
  };
  const [found, configured] = [difficultyOf(foundBits), difficultyOf(params.limitBits)];
  const others = Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}`)
    .join(', ');
  return found === configured
    ? `One or more of these settings differ: ${others}`
    : `blockchain.difficulty was ${found} and is now ${configured}; these settings count too: ${others}`;
}
