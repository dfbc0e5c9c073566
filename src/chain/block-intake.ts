import { nowSeconds, type Clock } from '../common/clock.js';
import { LogLimiter, type LimitedLine } from '../common/log-limiter.js';
import type { Logger } from '../common/logger.js';
import type { Block } from '../consensus/block.js';
import { linkHeader, type BlockNode } from '../consensus/block-tree.js';
import { checkBlockContext, checkConnect } from '../consensus/check-block.js';
import { checkHeaderContext, checkProofOfWork } from '../consensus/check-header.js';
import type { Hash } from '../consensus/codec.js';
import { isBetterTip, planReorg } from '../consensus/fork-choice.js';
import type { BlockHeader } from '../consensus/header.js';
import type { ConsensusParams } from '../consensus/params.js';
import { RuleError } from '../consensus/rule-error.js';
import { BlockVerification, type CheckedSignatures, type VerifiedBlock } from '../consensus/verify-block.js';
import { Ancestry } from './ancestry.js';
import type { BlockReader } from './block-reader.js';
import type { AcceptOutcome } from './chain.events.js';
import type { ChainMetrics } from './chain.metrics.js';
import type { ChainState } from './chain-state.js';
import type { ChainStore } from './chain.store.js';
import type { Draft, StoredOutcome } from './draft.js';
import type { LookAhead } from './entry-index.js';
import type { OrphanPool } from './orphan-pool.js';
import type { ReorgGuard } from './reorg-guard.js';

/** The chain does not know who sent a block. */
const REFUSED: LimitedLine = { level: 'info', kind: 'refused blocks', host: 'peers' };

export interface BlockIntakeOptions {
  readonly params: ConsensusParams;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<ChainMetrics, 'rejected'>;
  readonly store: ChainStore;
  readonly state: ChainState;
  readonly reader: BlockReader;
  readonly orphans: OrphanPool;
  readonly guard: ReorgGuard;
  readonly signatures: CheckedSignatures;
  /** Runs a write in the transaction that is open, or in one of its own. */
  readonly write: (work: () => void) => void;
}

/** Judges blocks: by their headers, by themselves, and in their place in the tree, where those that obey the rules are stored. */
export class BlockIntake {
  readonly #options: BlockIntakeOptions;
  readonly #lines: LogLimiter;
  readonly #lookAheads = new WeakMap<Block, LookAhead>();

  constructor(options: BlockIntakeOptions) {
    this.#options = options;
    this.#lines = new LogLimiter(options.log, options.clock);
  }

  /** See ChainService.judgeHeader. */
  judgeHeader(hash: Hash, header: BlockHeader): AcceptOutcome | undefined {
    return this.#judging(hash, () => {
      const known = this.#outcomeOfKnown(hash, this.#options.state.node(hash));
      if (known !== undefined) return known;
      checkProofOfWork(header, hash, this.#options.params);
      const parent = this.#options.state.node(header.previousHash);
      if (parent === undefined) this.#checkParentVerdict(header);
      else checkHeaderContext(header, hash, parent, this.#options.params, nowSeconds(this.#options.clock));
      return undefined;
    });
  }

  /** See ChainService.verification. */
  verification(block: Block): Pick<BlockVerification, 'step'> {
    const { params, signatures } = this.#options;
    const verification = new BlockVerification(block, params, signatures);
    return { step: (allowance) => this.#judging(block.hash, () => verification.step(allowance)) };
  }

  /** See ChainService.lookAhead. */
  lookAhead(block: VerifiedBlock): LookAhead {
    const ahead = this.#options.store.lookAhead(block);
    this.#lookAheads.set(block, ahead);
    return ahead;
  }

  /** Judges and writes one block, then the orphans whose parent's fate is now known: no recursion, chains can be long. */
  take(block: VerifiedBlock, receivedMs: number, draft: Draft, adopted: Hash[]): AcceptOutcome | RuleError {
    const result = this.#place(block, receivedMs, draft);
    const settled = isSettled(result) ? [block.hash] : [];
    for (const parent of settled) {
      for (const orphan of this.#options.orphans.childrenOf(parent)) {
        adopted.push(orphan.block.hash);
        if (isSettled(this.#place(orphan.block, orphan.receivedMs, draft))) settled.push(orphan.block.hash);
      }
    }
    return result;
  }

  /** A broken rule is handed back, so that a batch can go on after it. */
  #place(block: VerifiedBlock, receivedMs: number, draft: Draft): AcceptOutcome | RuleError {
    try {
      return this.#judging(block.hash, () => this.#check(block, receivedMs, draft));
    } catch (error) {
      if (error instanceof RuleError) return error;
      throw error;
    }
  }

  /** Runs a check of a block; where it breaks a rule, that is counted, logged, and stored as far as its verdict says. */
  #judging<T>(hash: Hash, check: () => T): T {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      if (error.condemnsBlock) this.#options.write(() => this.#options.store.saveInvalid(hash, error.code));
      this.#options.metrics.rejected.inc({ code: error.code });
      if (breaksCheckpoint(error)) this.#options.guard.brokeCheckpoint(error);
      else this.#lines.write(REFUSED, { hash, code: error.code, ...error.data }, `Block refused: ${error.message}`);
      throw error;
    }
  }

  #check(block: VerifiedBlock, receivedMs: number, draft: Draft): AcceptOutcome {
    const { hash, header } = block;
    const parent = draft.node(header.previousHash);
    const known = this.#outcomeOfKnown(hash, draft.node(hash));
    if (known !== undefined && known.kind !== 'orphan') return known;
    if (parent === undefined) {
      this.#checkParentVerdict(header);
      this.#options.orphans.add(block, receivedMs, this.#options.clock.monotonicMs());
      return this.#orphanOutcome(block);
    }
    checkHeaderContext(header, hash, parent, this.#options.params, nowSeconds(this.#options.clock));
    checkBlockContext(block, parent.height + 1);
    this.#checkConnects(block, parent, draft);
    const node = linkHeader(hash, header, parent, this.#options.store.nextId());
    this.#options.store.saveBlock(block, node, receivedMs);
    const outcome = this.#choose(node, draft);
    draft.add(block, outcome);
    return outcome;
  }

  /** Every block is checked against its own branch when it is stored, so that a reorganisation later cannot fail. */
  #checkConnects(block: VerifiedBlock, parent: BlockNode, draft: Draft): void {
    let ancestry: Ancestry | undefined;
    const isInBranch = (node: BlockNode): boolean => {
      ancestry ??= new Ancestry(this.#options.state, parent);
      return ancestry.includes(node);
    };
    const { store, reader } = this.#options;
    const ahead = this.#lookAheads.get(block);
    // If this attempt fails, what is stored until the next one is not known to it.
    this.#lookAheads.delete(block);
    const places = ahead?.isDone ? ahead.places : store.findPlaces(block.transactions.map(({ id }) => id));
    if (places.size === 0) return;
    checkConnect(block, (id) => {
      const candidates = places.get(id);
      return candidates !== undefined && reader.findEntry(id, isInBranch, draft, candidates) !== undefined;
    });
  }

  #choose(node: BlockNode, draft: Draft): StoredOutcome {
    if (node.parent === draft.tip) return { kind: 'extended', node };
    if (!isBetterTip(node, draft.tip) || !this.#options.guard.admit(node, draft.tip)) return { kind: 'side', node };
    this.#options.guard.reset();
    return { kind: 'reorganised', node, depth: planReorg(draft.tip, node).disconnect.length };
  }

  /** @throws RuleError when the block was found invalid before. */
  #outcomeOfKnown(hash: Hash, node: BlockNode | undefined): AcceptOutcome | undefined {
    if (node !== undefined) return { kind: 'duplicate' };
    const code = this.#options.store.invalidCode(hash);
    if (code !== undefined) throw new RuleError(code, `block ${hash} was found invalid before`);
    const orphan = this.#options.orphans.get(hash);
    return orphan && this.#orphanOutcome(orphan);
  }

  #checkParentVerdict({ previousHash }: BlockHeader): void {
    if (this.#options.store.invalidCode(previousHash) === undefined) return;
    throw new RuleError('bad-prevblk', `parent ${previousHash} is invalid`, { parent: previousHash });
  }

  #orphanOutcome(block: Block): AcceptOutcome {
    return { kind: 'orphan', missing: this.#options.orphans.missingAncestor(block) };
  }
}

/** Is it known now what the block is, so that its children can be judged? */
function isSettled(result: AcceptOutcome | RuleError): boolean {
  return result instanceof RuleError ? result.condemnsBlock : result.kind !== 'orphan';
}

/** Does the block itself stand in a checkpoint's place (and was not only found invalid for that before)? */
function breaksCheckpoint({ code, data }: RuleError): boolean {
  return code === 'checkpoint-mismatch' && data['expected'] !== undefined;
}
