import type { Clock } from '../common/clock.js';
import type { Random } from '../common/random.js';
import type { BlockchainSection } from '../config/node-config.js';
import { DelayedReason, type DelayMs } from './delayed-reason.js';

/** With nothing to mine, nobody would ever end a tie (docs/architecture.md, "Ties"). */
const TIE_DELAY_MS: DelayMs = [2000, 6000];
/**
 * The node that received an entry mines it at once. The others wait, in case that node does not: otherwise all of them
 * would find a block for it within milliseconds of each other, and tie (docs/decisions/0003).
 */
const OTHERS_ENTRIES_DELAY_MS: DelayMs = [300, 900];

/**
 * Why a node mines now: somebody asked for a block; entries that were posted here, or that a reorganisation gave back,
 * wait; only entries of other nodes wait, and have for a while; it mines all the time; a tie has lasted for a while.
 */
export type MiningReason = 'request' | 'own-entries' | 'others-entries' | 'always' | 'tie';

/** When to mine without being asked. */
export type MiningSettings = Pick<BlockchainSection, 'autoMine' | 'mineEmptyBlocks'>;

export interface MiningPolicyOptions {
  readonly settings: MiningSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly requests: { readonly isEmpty: boolean };
  /**
   * `acknowledgedCount`: how many of its entries this node has promised to keep, those posted here. `isSettling`: some of its
   * entries may be in the chain already, after a reorganisation.
   */
  readonly mempool: { readonly size: number; readonly acknowledgedCount: number; readonly isSettling: boolean };
  readonly chain: { competingTips(): readonly unknown[] };
  /** Called when time alone makes a reason to mine. */
  readonly onDue: () => void;
}

/** Decides whether to mine, and why. It looks at requests, mempool and chain as they are at the moment of the question. */
export class MiningPolicy {
  readonly #options: MiningPolicyOptions;
  readonly #pausedFor = new Set<string>();
  readonly #othersEntries: DelayedReason;
  readonly #tie: DelayedReason;
  /** May be replaced at any time; then call update(). */
  settings: MiningSettings;

  constructor(options: MiningPolicyOptions) {
    this.#options = options;
    this.settings = options.settings;
    const { clock, random, onDue } = options;
    const delayed = (delayMs: DelayMs, holds: () => boolean): DelayedReason =>
      new DelayedReason({ clock, random, delayMs, holds, onDue });
    this.#othersEntries = delayed(OTHERS_ENTRIES_DELAY_MS, () => this.#hasOnlyOthersEntries());
    this.#tie = delayed(TIE_DELAY_MS, () => this.#isTied());
  }

  /** The reason to mine at this moment; undefined = do not mine. */
  get reason(): MiningReason | undefined {
    const { requests, mempool } = this.#options;
    if (this.#pausedFor.size > 0) return undefined;
    if (!requests.isEmpty) return 'request';
    if (!this.#mayMineUnasked()) return undefined;
    if (mempool.acknowledgedCount > 0) return 'own-entries';
    if (this.#othersEntries.isDue) return 'others-entries';
    if (this.settings.mineEmptyBlocks === 'always') return 'always';
    return this.#tie.isDue ? 'tie' : undefined;
  }

  /** Nothing is mined, not even on request, while at least one cause to pause holds (the initial sync, for example). */
  setPaused(cause: string, isPaused: boolean): void {
    if (isPaused) this.#pausedFor.add(cause);
    else this.#pausedFor.delete(cause);
  }

  /** Call it after any change of requests, mempool, chain or pauses: it begins and ends the delays. */
  update(): void {
    this.#tie.update();
    this.#othersEntries.update();
  }

  /** The chain has a new tip: what holds at the next update counts as a new reason, with a delay of its own. */
  onTip(): void {
    this.#tie.reset();
    this.#othersEntries.reset();
  }

  /** May the node mine although nobody asked it to? */
  #mayMineUnasked(): boolean {
    const { mempool } = this.#options;
    return this.settings.autoMine && this.#pausedFor.size === 0 && !mempool.isSettling;
  }

  #hasOnlyOthersEntries(): boolean {
    const { mempool } = this.#options;
    return this.#mayMineUnasked() && mempool.size > 0 && mempool.acknowledgedCount === 0;
  }

  #isTied(): boolean {
    const { mempool, chain } = this.#options;
    if (this.settings.mineEmptyBlocks !== 'on_tie' || !this.#mayMineUnasked() || mempool.size > 0) return false;
    return chain.competingTips().length > 0;
  }
}
