import type { StoredBlock, TipChange } from '../chain/chain.events.js';
import type { ChainService } from '../chain/chain.service.js';
import { viewWork } from '../chain/block-view.js';
import { viewOrphan, type ForkQueries } from '../chain/fork-queries.js';
import { findForkPoint, type BlockNode } from '../consensus/block-tree.js';
import type { Hash } from '../consensus/codec.js';
import type { MempoolService } from '../mempool/mempool.service.js';
import type { ToldEvent } from './event-feed.js';
import { MAX_NAMED_IDS, type EntryEvent } from './event-schemas.js';

/** Blocks of one commit whose entries are told; a reorganisation may connect thousands. */
const MAX_CONFIRMED_BLOCKS = 100;
/** Blocks whose entries are remembered: those of a side branch are told when it becomes active. */
const MAX_REMEMBERED_BLOCKS = 200;

/** The entries of a block, as far as an event names them. */
type Entries = Pick<EntryEvent, 'count' | 'ids'>;

export interface ChainReportsInit {
  readonly chain: Pick<ChainService, 'events' | 'tip' | 'isActive'>;
  readonly forks: Pick<ForkQueries, 'view'>;
  readonly mempool: Pick<MempoolService, 'events' | 'isSettling'>;
  /** Blocks that a long sync fetches have no events of their own; `syncEnded` tells where they led. */
  readonly isCatchingUp: () => boolean;
  readonly tell: (event: ToldEvent) => void;
}

/** Tells of blocks, tips and entries. The order is: blocks that came, the tip, the entries that it confirms and returns. */
export class ChainReports {
  readonly #given: ChainReportsInit;
  readonly #subscriptions: (() => void)[];
  /** The last tip that was told. */
  #told: BlockNode;
  /** Blocks that were told with the last tip. */
  #toldBlocks: ReadonlyMap<BlockNode, unknown> = new Map();
  /** Returned before the tip was told by which they returned. */
  #returned: Hash[] = [];
  readonly #entriesOf = new Map<BlockNode, Entries>();

  constructor(given: ChainReportsInit) {
    const { chain, mempool, tell } = given;
    this.#given = given;
    this.#told = chain.tip;
    this.#subscriptions = [
      chain.events.on('tip', (change) => this.#onTip(change)),
      chain.events.on('block', (stored) => this.#onBlock(stored)),
      chain.events.on('orphan', (orphan) => tell({ type: 'block', block: viewOrphan(orphan) })),
      mempool.events.on('added', ({ transactions, origin = null, isReturned }) => {
        const ids = transactions.map(({ id }) => id);
        if (!isReturned) tell(entryEvent('pending', named(ids), { from: origin }));
        else if (chain.tip === this.#told || given.isCatchingUp()) tell(entryEvent('returned', named(ids)));
        else this.#returned.push(...ids);
      }),
    ];
  }

  stop(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  /** A sync is over: one event for all that it changed. */
  syncEnded(): void {
    const { tip } = this.#given.chain;
    const previous = this.#told;
    if (tip === previous) return;
    const fork = findForkPoint(previous, tip);
    this.#tellTip({ tip, previousTip: previous, forkPoint: fork, afterSync: true });
    this.#tellReturned();
  }

  #onTip(change: TipChange): void {
    const { connected, arrived } = change;
    this.#toldBlocks = arrived;
    for (const [node, { transactions }] of arrived) this.#remember(node, transactions);
    if (this.#given.isCatchingUp()) return;
    // A sync is over, or is about to say so.
    if (change.previousTip !== this.#told) return this.syncEnded();
    for (const [node, block] of arrived) {
      this.#given.tell({ type: 'block', block: this.#given.forks.view(node, 'active', block) });
    }
    this.#tellTip({ ...change, afterSync: false });
    for (const node of connected.slice(-MAX_CONFIRMED_BLOCKS)) {
      const entries = this.#entriesOf.get(node);
      if (entries === undefined || entries.count === 0) continue;
      const block = { height: node.height, hash: node.hash };
      this.#given.tell(entryEvent('confirmed', entries, { block }));
    }
    this.#tellReturned();
  }

  #onBlock({ block, outcome }: StoredBlock): void {
    if (outcome.kind === 'orphan' || outcome.kind === 'duplicate' || this.#toldBlocks.has(outcome.node)) return;
    const { node } = outcome;
    this.#remember(node, block.transactions);
    if (this.#given.isCatchingUp()) return;
    const status = this.#given.chain.isActive(node) ? 'active' : 'side';
    this.#given.tell({ type: 'block', block: this.#given.forks.view(node, status, block) });
  }

  #tellTip(change: Pick<TipChange, 'tip' | 'previousTip' | 'forkPoint'> & { readonly afterSync: boolean }): void {
    const { tip, previousTip, forkPoint, afterSync } = change;
    const depth = previousTip.height - forkPoint.height;
    const returned = this.#given.mempool.isSettling ? null : this.#returned.length;
    this.#told = tip;
    this.#given.tell({
      type: 'tip',
      tip: { ...placeOf(tip), chainWork: viewWork(tip.chainWork) },
      previous: placeOf(previousTip),
      connected: tip.height - forkPoint.height,
      reorg: depth === 0 ? null : { depth, fork: placeOf(forkPoint), returned },
      afterSync,
    });
  }

  #tellReturned(): void {
    if (this.#returned.length > 0) this.#given.tell(entryEvent('returned', named(this.#returned)));
    this.#returned = [];
  }

  #remember(node: BlockNode, transactions: readonly { readonly id: Hash }[]): void {
    const entriesOf = this.#entriesOf;
    if (entriesOf.size >= MAX_REMEMBERED_BLOCKS) entriesOf.delete(entriesOf.keys().next().value!);
    // The coinbase comes first.
    const ids = transactions.slice(1, 1 + MAX_NAMED_IDS).map(({ id }) => id);
    entriesOf.set(node, { count: transactions.length - 1, ids });
  }
}

function entryEvent(
  state: EntryEvent['state'],
  entries: Entries,
  facts: Partial<Pick<EntryEvent, 'block' | 'from'>> = {},
): ToldEvent {
  return { type: 'entry', state, ...entries, block: null, from: null, ...facts };
}

function named(ids: readonly Hash[]): Entries {
  return { count: ids.length, ids: ids.slice(0, MAX_NAMED_IDS) };
}

function placeOf({ height, hash }: BlockNode): { readonly height: number; readonly hash: Hash } {
  return { height, hash };
}
